import { describe, expect, it } from '@jest/globals';
import { RunningServices } from '../../../local/runtime/running-services.ts';

function recorder() {
  const events: string[] = [];
  const service = (name: string, start: () => Promise<void> = async () => {}) => ({
    name,
    start: async () => {
      events.push(`start ${name}`);
      await start();
      events.push(`started ${name}`);
    },
    stop: async () => void events.push(`stop ${name}`),
  });
  return { events, service };
}

describe('the parts of the local runtime', () => {
  it('stop in the reverse order of their starts', async () => {
    const { events, service } = recorder();
    const services = new RunningServices();
    await services.start([service('a'), service('b')]);
    await services.stop(() => {});
    await services.stop(() => {});
    expect(events.slice(-2)).toEqual(['stop b', 'stop a']);
    expect(events.filter((event) => event.startsWith('stop'))).toHaveLength(2);
  });

  it('stop when their start has come to its end, and start no further ones', async () => {
    const { events, service } = recorder();
    const services = new RunningServices();
    const slow = Promise.withResolvers<void>();
    const starting = services.start([service('slow', () => slow.promise), service('next')]);
    const stopping = services.stop(() => {});
    slow.resolve();
    await expect(starting).rejects.toThrow('stopping');
    await stopping;
    expect(events).toEqual(['start slow', 'started slow', 'stop slow']);
    await expect(services.start([service('late')])).rejects.toThrow('stopping');
  });

  it('stop also when one did not start, or does not stop', async () => {
    const { events, service } = recorder();
    const services = new RunningServices();
    const broken = {
      ...service('broken', () => Promise.reject(new Error('no port'))),
      stop: () => Promise.reject(new Error('stuck')),
    };
    await services.start([service('a')]);
    await expect(services.start([broken])).rejects.toThrow('no port');
    const reported: string[] = [];
    await services.stop((message) => reported.push(message));
    expect(events.at(-1)).toBe('stop a');
    expect(reported).toEqual(['broken did not stop cleanly: stuck']);
  });
});
