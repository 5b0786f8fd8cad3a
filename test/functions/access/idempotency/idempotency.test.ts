import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Idempotency, type OnceRequest } from '../../../../functions/access/idempotency/idempotency.ts';
import type { HttpAnswer } from '../../../../functions/shared/http-response.ts';
import { Problem } from '../../../../functions/shared/problem.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { intercept } from '../audit/support.ts';

const table = 'idempotency';
let dynamo: TestDynamo;
let now: number;
let keys = 0;
let idempotency: Idempotency;
let unkept: unknown[];

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  now = Date.UTC(2026, 10, 20, 10);
  keys++;
  unkept = [];
  idempotency = make();
});

const make = (client = dynamo.client) =>
  new Idempotency({
    ...{ client, table, hours: 24, now: () => now },
    onUnkept: (error) => unkept.push(error),
  });
const requestOf = (changes: Partial<OnceRequest> = {}): OnceRequest => ({
  scope: 'abcdefgh POST /api/access/keys',
  key: `key-${keys}`,
  payload: { body: { name: 'A key', list: [1, 2] } },
  secrets: [],
  remainingMs: () => 10_000,
  ...changes,
});

/** A handler that counts how often it has run, and knows under which work ids. */
function handler(answer: HttpAnswer = { status: 201, headers: { location: '/things/1' }, body: { id: 1 } }) {
  const workIds: string[] = [];
  const handle = async (workId: string) => {
    handle.runs++;
    workIds.push(workId);
    return answer;
  };
  handle.runs = 0;
  handle.workIds = workIds;
  return handle;
}

/** A handler that goes on when it is told to. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const handle = async (): Promise<HttpAnswer> => {
    started.resolve();
    await promise;
    return { status: 201, body: { id: 'held' } };
  };
  return { handle, started: started.promise, release: resolve };
}

const problem = (status: number) => expect.objectContaining({ status });

describe('a request with an Idempotency-Key', () => {
  it('is done once, and answered the same again, marked as such', async () => {
    const handle = handler();
    const first = await idempotency.run(requestOf(), handle);
    const second = await make().run(requestOf(), handle);
    expect(first).toEqual({ status: 201, headers: { location: '/things/1' }, body: { id: 1 } });
    expect(second).toEqual({ ...first, headers: { location: '/things/1', 'idempotency-replayed': 'true' } });
    expect(handle.runs).toBe(1);
  });

  it('may have its members in another order, and nothing else', async () => {
    const handle = handler();
    await idempotency.run(requestOf(), handle);
    await idempotency.run(requestOf({ payload: { body: { list: [1, 2], name: 'A key' } } }), handle);
    for (const payload of [
      { body: { name: 'A key', list: [2, 1] } },
      { body: { name: 'a key', list: [1, 2] } },
      { body: { name: 'A key' } },
      {},
      null,
      undefined,
    ]) {
      await expect(idempotency.run(requestOf({ payload }), handle)).rejects.toEqual(problem(422));
    }
    expect(handle.runs).toBe(1);
  });

  it('is another for another caller or route, and for another key', async () => {
    const handle = handler();
    await idempotency.run(requestOf(), handle);
    await idempotency.run(requestOf({ scope: 'ijklmnop POST /api/access/keys' }), handle);
    await idempotency.run(requestOf({ key: `KEY-${keys}` }), handle);
    expect(handle.runs).toBe(3);
  });

  it('is refused while the first is being worked on, and says when to try again', async () => {
    const { handle, started, release } = held();
    const first = idempotency.run(requestOf(), handle);
    await started;
    const second = await idempotency.run(requestOf(), handle).catch((error: unknown) => error);
    expect(second).toBeInstanceOf(Problem);
    expect(second).toMatchObject({ status: 409, headers: { 'retry-after': '1' } });
    await expect(idempotency.run(requestOf({ payload: 'other' }), handle)).rejects.toEqual(problem(422));
    release();
    expect(await first).toMatchObject({ body: { id: 'held' } });
    expect(await idempotency.run(requestOf(), handle)).toMatchObject({ body: { id: 'held' } });
  });

  it('is done anew when the function that worked on it was stopped, however that goes on', async () => {
    const { handle, started, release } = held();
    const given = idempotency.run(requestOf(), handle);
    await started;
    now += 10_000;
    const second = handler();
    expect(await make().run(requestOf(), second)).toMatchObject({ body: { id: 1 } });
    release();
    await given;
    expect(unkept).toHaveLength(1);
    expect(await idempotency.run(requestOf(), second)).toMatchObject({ body: { id: 1 } });
    expect(second.runs).toBe(1);
  });

  it('has the work id of the attempts before it, which failed or were stopped', async () => {
    const handle = handler({ status: 503 });
    await idempotency.run(requestOf(), handle);
    const { handle: stopped, started } = held();
    void make().run(requestOf(), async (workId) => {
      handle.workIds.push(workId);
      return stopped();
    });
    await started;
    now += 10_000;
    await make().run(requestOf(), handle);
    const { workIds } = handle;
    expect(workIds).toHaveLength(3);
    expect(new Set(workIds).size).toBe(1);
    await idempotency.run(requestOf({ key: `KEY-${keys}` }), handle);
    expect(workIds[3]).not.toBe(workIds[0]);
  });

  it('keeps its key for its payload when it has failed or was stopped', async () => {
    const handle = handler({ status: 500 });
    await idempotency.run(requestOf(), handle);
    const other = requestOf({ payload: 'other' });
    await expect(idempotency.run(other, handle)).rejects.toEqual(problem(422));
    const { handle: stopped, started } = held();
    void idempotency.run(requestOf(), stopped);
    await started;
    now += 10_000;
    await expect(idempotency.run(other, handle)).rejects.toEqual(problem(422));
    expect(handle.runs).toBe(1);
  });

  it('is forgotten after its time', async () => {
    const handle = handler();
    await idempotency.run(requestOf(), handle);
    now += 24 * 3_600_000 - 1_000;
    await idempotency.run(requestOf(), handle);
    expect(handle.runs).toBe(1);
    now += 1_000;
    await idempotency.run(requestOf({ payload: 'other' }), handle);
    expect(handle.runs).toBe(2);
  });

  it.each([
    ['answer of 500', async (): Promise<HttpAnswer> => ({ status: 500 })],
    [
      'Problem',
      async () => {
        throw new Problem('conflict', 'No.');
      },
    ],
    [
      'Error',
      async () => {
        throw new Error('broken');
      },
    ],
    [
      'value that is no Error',
      async () => {
        throw 'text';
      },
    ],
  ])('may be sent again after an %s, which is handed on as it is', async (_name, fail) => {
    const outcome = (work: () => Promise<HttpAnswer>) =>
      work().then(
        (answer) => ({ answer }),
        (error: unknown) => ({ error }),
      );
    expect(await outcome(() => idempotency.run(requestOf(), fail))).toEqual(await outcome(fail));
    const handle = handler();
    expect(await idempotency.run(requestOf(), handle)).toMatchObject({ status: 201 });
    expect(handle.runs).toBe(1);
  });

  it('keeps secrets of an answer nowhere, and shows them once', async () => {
    const secret = 'msk_abcdefgh_secret';
    const handle = handler({ status: 201, body: { key: secret, inner: [{ key: secret }], id: 'a' } });
    const request = requestOf({ secrets: ['key'] });
    const stored: string[] = [];
    const client = intercept(dynamo.client, (command, send) => {
      stored.push(JSON.stringify(command));
      return send();
    });
    const first = await make(client).run(request, handle);
    expect(first.body).toEqual({ key: secret, inner: [{ key: secret }], id: 'a' });
    expect((await make(client).run(request, handle)).body).toEqual({
      key: null,
      inner: [{ key: null }],
      id: 'a',
    });
    expect(stored.length).toBeGreaterThan(1);
    expect(stored.join()).not.toContain(secret);
  });

  it.each(['', ' ', 'a b', 'ä', '\u007f', 'x'.repeat(256)])('refuses the key %j', async (key) => {
    const handle = handler();
    const error = await idempotency.run(requestOf({ key }), handle).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, errors: [{ field: 'headers.idempotency-key' }] });
    expect(handle.runs).toBe(0);
  });

  it('takes a key of 255 characters', async () => {
    expect(await idempotency.run(requestOf({ key: '~'.repeat(255) }), handler())).toMatchObject({
      status: 201,
    });
  });

  it('is not done when the store is down', async () => {
    const handle = handler();
    const client = intercept(dynamo.client, async () => {
      throw new Error('down');
    });
    await expect(make(client).run(requestOf(), handle)).rejects.toEqual(problem(503));
    expect(handle.runs).toBe(0);
  });

  it('is answered with what was done when only that could not be kept', async () => {
    let calls = 0;
    const client = intercept(dynamo.client, async (_command, send) => {
      if (++calls > 1) throw new Error('down');
      return send();
    });
    expect(await make(client).run(requestOf(), handler())).toMatchObject({ status: 201 });
    expect(unkept).toHaveLength(1);
    await expect(idempotency.run(requestOf(), handler())).rejects.toEqual(problem(409));
  });

  it('is done when its record goes away while it is looked at', async () => {
    const failing = Promise.withResolvers<HttpAnswer>();
    const started = Promise.withResolvers<void>();
    const first = idempotency.run(requestOf(), () => {
      started.resolve();
      return failing.promise;
    });
    await started.promise;
    const client = intercept(dynamo.client, async (command, send) => {
      if (command.constructor.name === 'GetCommand') {
        failing.reject(new Error('broken'));
        await first.catch(() => undefined);
      }
      return send();
    });
    const handle = handler();
    expect(await make(client).run(requestOf(), handle)).toMatchObject({ status: 201 });
    expect(handle.runs).toBe(1);
  });

  it('is done once, however its repetitions interleave', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 2, max: 5 }),
        fc.boolean(),
        async (scheduler, callers, fails) => {
          const key = `interleaved-${keys}-${round++}`;
          const client = intercept(dynamo.client, async (_command, send) => {
            await scheduler.schedule(Promise.resolve());
            const answer = await send();
            await scheduler.schedule(Promise.resolve());
            return answer;
          });
          let running = 0;
          let done = 0;
          const handle = async (): Promise<HttpAnswer> => {
            expect(++running).toBe(1);
            await scheduler.schedule(Promise.resolve());
            running--;
            if (fails && done === 0) {
              done++;
              throw new Problem('conflict', 'The first fails.');
            }
            return { status: 201, body: { number: ++done } };
          };
          const calls = Array.from({ length: callers }, () =>
            make(client)
              .run(requestOf({ key }), handle)
              .catch((error: unknown) => error),
          );
          const finished = Promise.all(calls);
          await scheduler.waitFor(finished);
          const answers = await finished;
          const numbers = answers.flatMap((answer) => (answer instanceof Error ? [] : [answer]));
          for (const answer of answers) {
            if (answer instanceof Error) expect(answer).toMatchObject({ status: 409 });
          }
          expect(new Set(numbers.map((answer) => JSON.stringify(answer))).size).toBeLessThanOrEqual(2);
          const last = await idempotency.run(requestOf({ key }), handle);
          expect(last.body).toEqual({ number: fails ? 2 : 1 });
          expect(done).toBe(fails ? 2 : 1);
        },
      ),
      { numRuns: 25 },
    );
  });
});
