import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { countAll } from '../../../functions/metrics/tally/count-all.ts';
import { allCounted, countedBetween } from '../../../functions/metrics/tally/counters.ts';
import { hourMs, hourOf } from '../../../functions/metrics/tally/hours.ts';
import { Tally } from '../../../functions/metrics/tally/tally.ts';
import { TallyStore } from '../../../functions/metrics/tally/tally-store.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

jest.setTimeout(60_000);

const start = Date.parse('2026-11-22T10:00:00Z');
let dynamo: TestDynamo;
let tables = 0;
const names = Array.from({ length: 40 }, (_, index) => `monitoring-${index}`);

beforeAll(async () => {
  dynamo = await startDynamo(...names);
});
afterAll(() => dynamo?.stop());

/** A table of its own, and a store on it that can be made to fail at a write. */
class World {
  now = start;
  /** Writes until the one at which the function is killed; undefined: it is not. */
  killAfter: number | undefined;
  readonly store: TallyStore;

  constructor() {
    const table = names[tables++ % names.length] ?? '';
    const send: typeof dynamo.client.send = (
      command: { constructor: { name: string } },
      ...rest: unknown[]
    ) => {
      if (/^(Put|Delete)/.test(command.constructor.name) && this.killAfter !== undefined) {
        if (this.killAfter === 0) return Promise.reject(new Error('killed'));
        this.killAfter -= 1;
      }
      return Reflect.apply(dynamo.client.send, dynamo.client, [command, ...rest]);
    };
    const client = Object.create(dynamo.client, { send: { value: send } });
    this.store = new TallyStore(client, table);
  }

  async tell(id: string, requests: number, error?: string): Promise<void> {
    const tally = new Tally();
    for (let count = 0; count < requests; count++) {
      tally.add({
        ...{ at: this.now, service: 'cdn', fn: 'api', durationMs: 10, coldStart: false },
        request: { route: 'GET /x', status: error === undefined ? 200 : 500 },
        ...(error !== undefined && { error: { type: 'Error', message: error } }),
      });
    }
    await this.store.addBatch(hourOf(this.now), { id, tally }, this.now);
  }

  count = () => countAll(this.store, () => this.now);

  async counted(): Promise<number> {
    return (await allCounted(this.store, this.now)).functions.get('api')?.invocations ?? 0;
  }
}

describe('what functions tell of their invocations', () => {
  it('is counted once, however often it comes, also when it comes again later', async () => {
    const world = new World();
    await world.tell('one', 3);
    await world.tell('two', 4);
    await world.tell('one', 3);
    expect((await world.count()).batches).toBe(2);
    await world.tell('two', 4);
    await world.count();
    expect(await world.counted()).toBe(7);
  });

  it('is asked for by the hour, and in all', async () => {
    const world = new World();
    await world.tell('one', 3);
    await world.count();
    world.now += 2 * hourMs;
    await world.tell('two', 4);
    await world.count();
    const last = await countedBetween(world.store, world.now - hourMs, world.now);
    expect(last.functions.get('api')?.invocations).toBe(4);
    expect(await world.counted()).toBe(7);
  });

  it('stays counted when its hour goes into the base, and long after', async () => {
    const world = new World();
    await world.count();
    await world.tell('one', 3);
    for (let turn = 0; turn < 8; turn++) {
      await world.count();
      expect(await world.counted()).toBe(3);
      world.now += 3 * hourMs;
    }
    await world.count();
    expect((await world.store.base())?.tally.functions.get('api')?.invocations).toBe(3);
  });

  it('never counts less or twice, wherever the function that counts is killed, and whoever counts beside it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ kind: fc.constant('tell' as const), id: fc.nat({ max: 12 }) }),
            fc.record({
              kind: fc.constant('count' as const),
              kill: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
            }),
            fc.record({ kind: fc.constant('both' as const) }),
            fc.record({ kind: fc.constant('wait' as const), minutes: fc.constantFrom(1, 40, 200) }),
          ),
          { minLength: 5, maxLength: 25 },
        ),
        async (steps) => {
          const world = new World();
          await world.count();
          const told = new Map<string, number>();
          let before = 0;
          for (const step of steps) {
            if (step.kind === 'tell') {
              // A batch is of the hour in which it was seen, whenever it comes again.
              const id = `${hourOf(world.now)}-${step.id}`;
              told.set(id, 1 + step.id);
              await world.tell(id, 1 + step.id);
            } else if (step.kind === 'count') {
              world.killAfter = step.kill;
              await world.count().catch((error: Error) => expect(error.message).toContain('killed'));
              world.killAfter = undefined;
            } else if (step.kind === 'both') await Promise.all([world.count(), world.count()]);
            else world.now += step.minutes * 60_000;
            const counted = await world.counted();
            expect(counted).toBeGreaterThanOrEqual(before);
            before = counted;
          }
          await world.count();
          expect(await world.counted()).toBe([...told.values()].reduce((sum, each) => sum + each, 0));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('tells of a kind of error once, when it is new', async () => {
    const world = new World();
    await world.tell('one', 2, 'no table 1');
    expect((await world.count()).newErrors).toMatchObject([
      { pattern: 'no table <n>', where: 'GET /x', count: 2 },
    ]);
    world.now += 3 * hourMs;
    await world.tell('two', 1, 'no table 2');
    expect((await world.count()).newErrors).toEqual([]);
    world.now += 20 * hourMs;
    await world.count();
    await world.tell('three', 1, 'no table 3');
    await world.tell('four', 1, 'no index');
    expect((await world.count()).newErrors).toMatchObject([{ pattern: 'no index' }]);
  });
});
