import { duplexPair } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Condition, Traffic } from '../../../local/postgres/proxy/traffic.ts';

describe('traffic', () => {
  it('arrives whole and in order, whatever happens on the way', async () => {
    const condition: fc.Arbitrary<Condition> = fc.oneof(
      fc.constant<Condition>({ kind: 'open' }),
      fc.constant<Condition>({ kind: 'silent' }),
      fc.integer({ min: 0, max: 6 }).map((ms): Condition => ({ kind: 'delayed', ms })),
    );
    const step = fc.record({ condition, bytes: fc.uint8Array({ minLength: 1, maxLength: 3000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const traffic = new Traffic();
        const [clientEnd, client] = duplexPair();
        const [serverEnd, server] = duplexPair();
        traffic.relay(client, server);
        const received = buffer(serverEnd);
        for (const { condition: next, bytes } of steps) {
          traffic.set(next);
          clientEnd.write(bytes);
          await turn();
        }
        traffic.set({ kind: 'open' });
        clientEnd.end();
        const whole = await received;
        expect(whole.equals(Buffer.concat(steps.map(({ bytes }) => bytes)))).toBe(true);
        traffic.destroy();
      }),
      { numRuns: 40 },
    );
  });

  it('of one client can be silent while that of the others passes', async () => {
    const traffic = new Traffic();
    const connection = (name: string) => {
      const [clientEnd, client] = duplexPair();
      const [serverEnd, server] = duplexPair();
      traffic.relay(client, server, name);
      return { clientEnd, serverEnd };
    };
    const [probe, other] = [connection('mainstay-Probe1'), connection('psql')];
    const heard = async ({ clientEnd, serverEnd }: typeof probe) => {
      clientEnd.write('x');
      for (let turns = 0; turns < 5; turns += 1) await turn();
      return serverEnd.read()?.toString();
    };
    traffic.set({ kind: 'silent' }, 'Probe');
    let admitted = false;
    const newcomer = traffic.admissionOf('another Probe').then((open) => {
      admitted = open;
    });
    expect(await traffic.admissionOf('psql')).toBe(true);
    expect([await heard(probe), await heard(other), admitted]).toEqual([undefined, 'x', false]);
    traffic.set({ kind: 'open' }, 'Probe');
    await newcomer;
    expect([await heard(probe), admitted]).toEqual(['xx', true]);
    traffic.set({ kind: 'reset' }, 'Probe');
    expect(await traffic.admissionOf('Probe')).toBe(false);
    expect([probe.serverEnd.destroyed, other.serverEnd.destroyed]).toEqual([false, false]);
    traffic.set({ kind: 'open' });
    expect(await traffic.admissionOf('Probe')).toBe(true);
    traffic.destroy();
  });

  it('forgets connections that ended', async () => {
    const traffic = new Traffic();
    const [, client] = duplexPair();
    const [, server] = duplexPair();
    traffic.relay(client, server);
    expect(traffic.connections).toBe(1);
    client.destroy();
    await turn();
    expect(server.destroyed).toBe(true);
    await turn();
    expect(traffic.connections).toBe(0);
  });

  it('does not keep the server of a client that left before it was connected', async () => {
    const traffic = new Traffic();
    const [, client] = duplexPair();
    const [, server] = duplexPair();
    client.destroy();
    traffic.relay(client, server);
    expect(server.destroyed).toBe(true);
    expect(traffic.connections).toBe(0);
  });
});
