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
