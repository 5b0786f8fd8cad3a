import { describe, expect, it, jest } from '@jest/globals';
import { type Probe, Readiness, reuseMs, Unusable } from '../../../functions/monitoring/readiness.ts';

const log = { warn: jest.fn<(...items: unknown[]) => void>() };
const up = (name: string): Probe => ({ name, run: async () => {} });
const down = (name: string, error: unknown): Probe => ({ name, run: () => Promise.reject(error) });
const failure = (name: string, members = {}) =>
  Object.assign(new Error('at 10.0.0.7:5432 as admin'), { name, ...members });

describe('readiness', () => {
  it('is given when every dependency answers', async () => {
    const report = await new Readiness([
      up('a'),
      { name: 'more', list: async () => [up('b'), up('c')] },
    ]).check(log);
    expect(report).toMatchObject({
      status: 'ready',
      dependencies: [
        { name: 'a', state: 'up', latencyMs: expect.any(Number) },
        { name: 'b', state: 'up' },
        { name: 'c', state: 'up' },
      ],
    });
  });

  it('is not given when one does not, and tells a stranger no more than what kind of reason', async () => {
    const report = await new Readiness([
      up('a'),
      down('denied', failure('AccessDeniedException')),
      down('login', failure('error', { code: '28000' })),
      down('absent', failure('ResourceNotFoundException')),
      down('database', failure('error', { code: '3D000' })),
      down('key', new Unusable('the key is Disabled')),
      down('network', failure('Error', { code: 'ECONNREFUSED' })),
      down('odd', 'a string'),
    ]).check(log);
    expect(report.status).toBe('unready');
    expect(report.dependencies.map(({ reason }) => reason)).toEqual([
      undefined,
      'denied',
      'denied',
      'absent',
      'absent',
      'unusable',
      'unreachable',
      'unreachable',
    ]);
    expect(JSON.stringify(report)).not.toMatch(/10\.0|admin|Disabled/);
  });

  it('tells the log why', async () => {
    log.warn.mockClear();
    await new Readiness([down('a', failure('AccessDeniedException'))]).check(log);
    expect(log.warn).toHaveBeenCalledWith('A dependency is down', {
      dependency: 'a',
      reason: 'denied',
      error: expect.objectContaining({ message: 'at 10.0.0.7:5432 as admin' }),
    });
  });

  it('waits for none longer than its time, and for all at the same time', async () => {
    const aborted: boolean[] = [];
    const silent = (name: string): Probe => ({
      name,
      run: (signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => aborted.push(true));
        }),
    });
    const started = performance.now();
    const report = await new Readiness([silent('a'), silent('b'), silent('c'), up('d')], {
      timeoutMs: 60,
    }).check(log);
    expect(performance.now() - started).toBeLessThan(500);
    expect(report.dependencies.map(({ reason }) => reason)).toEqual([
      'timeout',
      'timeout',
      'timeout',
      undefined,
    ]);
    expect(aborted).toHaveLength(3);
  });

  it('is asked once in five seconds, however many ask', async () => {
    let now = 0;
    let runs = 0;
    const readiness = new Readiness([{ name: 'a', run: async () => void runs++ }], { now: () => now });
    await Promise.all([readiness.check(log), readiness.check(log)]);
    now = reuseMs - 1;
    await readiness.check(log);
    expect(runs).toBe(1);
    now = reuseMs;
    await readiness.check(log);
    expect(runs).toBe(2);
  });

  it('is not given when it cannot be found out what the dependencies are', async () => {
    const unknown = { name: 'shards', list: () => Promise.reject(failure('AccessDeniedException')) };
    const report = await new Readiness([up('a'), unknown]).check(log);
    expect(report).toMatchObject({
      status: 'unready',
      dependencies: [{ name: 'a' }, { name: 'shards', state: 'down', reason: 'denied' }],
    });
  });
});
