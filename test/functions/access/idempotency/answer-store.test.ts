import {
  IdempotencyConfig,
  IdempotencyItemAlreadyExistsError,
  IdempotencyItemNotFoundError,
} from '@aws-lambda-powertools/idempotency';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AnswerStore } from '../../../../functions/access/idempotency/answer-store.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';

const table = 'idempotency';
const hours = 1;
const lifetimeMs = hours * 3_600_000;
const start = Date.UTC(2026, 10, 20, 10);
let dynamo: TestDynamo;
let now: number;
let keys = 0;

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  now = start;
  keys++;
});

const config = new IdempotencyConfig({ eventKeyJmesPath: 'key', payloadValidationJmesPath: 'payload' });
const inUse = expect.any(IdempotencyItemAlreadyExistsError);

/** An attempt, which has 10 seconds from its beginning. */
function attempt(payload = 'a', key = `key-${keys}`, ms = 10_000) {
  const store = new AnswerStore({
    client: dynamo.client,
    table,
    hours,
    now: () => now,
    remainingMs: () => ms,
  });
  store.configure({ config, keyPrefix: 'scope' });
  const data = { key, payload };
  return {
    begin: async () => {
      await store.saveInProgress(data);
      return store.workId;
    },
    look: () => store.getRecord(data),
    keep: () => store.saveSuccess(data, `answer to ${payload}`),
    fail: () => store.deleteRecord(data),
  };
}

describe('the record of a request', () => {
  it('has a work id, which whoever takes it over goes on under', async () => {
    const first = attempt();
    const workId = await first.begin();
    expect(workId).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    await expect(attempt().begin()).rejects.toEqual(inUse);
    now += 9_999;
    await expect(attempt().begin()).rejects.toEqual(inUse);
    now += 1;
    expect(await attempt().begin()).toBe(workId);
    await expect(attempt().begin()).rejects.toEqual(inUse);
  });

  it('can be taken over at once when the attempt has failed', async () => {
    const first = attempt();
    const workId = await first.begin();
    await first.fail();
    const second = attempt();
    expect(await second.begin()).toBe(workId);
    await second.keep();
    await expect(attempt().begin()).rejects.toEqual(inUse);
  });

  it('has another work id for another key, and when its time has ended', async () => {
    const first = attempt();
    const workId = await first.begin();
    expect(await attempt('a', `other-${keys}`).begin()).not.toBe(workId);
    await first.fail();
    now += lifetimeMs;
    expect(await attempt().begin()).not.toBe(workId);
  });

  it('lasts as long again when it is taken over', async () => {
    const first = attempt();
    const workId = await first.begin();
    await first.fail();
    now += lifetimeMs - 1_000;
    const second = attempt();
    expect(await second.begin()).toBe(workId);
    await second.fail();
    now += lifetimeMs - 1_000;
    expect(await attempt().begin()).toBe(workId);
  });

  it('is not taken over by a request with another payload, which is told so', async () => {
    const first = attempt('a');
    const workId = await first.begin();
    await first.fail();
    const other = attempt('b');
    await expect(other.begin()).rejects.toEqual(inUse);
    await expect(other.look()).rejects.toMatchObject({ name: 'IdempotencyValidationError' });
    const second = attempt('a');
    expect(await second.begin()).toBe(workId);
    await second.fail();
    await expect(second.look()).rejects.toEqual(expect.any(IdempotencyItemNotFoundError));
  });

  it('is not touched by an attempt whose place another has taken', async () => {
    const first = attempt();
    await first.begin();
    now += 10_000;
    const second = attempt();
    await second.begin();
    await expect(first.keep()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    await first.fail();
    await expect(attempt().begin()).rejects.toEqual(inUse);
    await second.keep();
    await second.fail();
    expect((await attempt().look()).responseData).toBe('answer to a');
  });

  it('has one work id in its lifetime and nobody beside its holder, whatever happens in which order', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
        now = start;
        const model = new Model(`property-${keys}-${round++}`);
        for (const each of steps) await model.take(each);
      }),
      { numRuns: 30 },
    );
  }, 30_000);
});

type Step =
  | { readonly is: 'begin'; readonly payload: 'a' | 'b'; readonly ms: number; readonly beside: number }
  | { readonly is: 'keep' | 'fail'; readonly which: number }
  | { readonly is: 'clock'; readonly by: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('begin' as const),
      payload: fc.constantFrom('a' as const, 'a' as const, 'a' as const, 'b' as const),
      ms: fc.integer({ min: 1, max: 900_000 }),
      beside: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constantFrom('keep', 'fail'), which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('clock' as const),
      by: fc.oneof(
        fc.integer({ min: -20_000, max: 20_000 }),
        fc.integer({ min: 0, max: 900_000 }),
        fc.constantFrom(lifetimeMs - 1_000, lifetimeMs),
      ),
    }),
  },
);

/** What has to be true of one key. A crash is an attempt of which nothing more is heard. */
class Model {
  readonly #key: string;
  readonly #attempts: ReturnType<typeof attempt>[] = [];
  readonly #workIds = new Set<string>();
  #record:
    | { holder: number; payload: string; workId: string; until: number; expiresAt: number; kept: boolean }
    | undefined;

  constructor(key: string) {
    this.#key = key;
  }

  async take(taken: Step): Promise<void> {
    if (taken.is === 'clock') now = Math.max(start, now + taken.by);
    else if (taken.is === 'begin') await this.#begin(taken);
    else await this.#end(taken.is, taken.which);
  }

  /** As many as `beside` says besides one, all at the same time. */
  async #begin({ payload, ms, beside }: Extract<Step, { is: 'begin' }>): Promise<void> {
    const first = this.#attempts.length;
    const those = Array.from({ length: beside + 1 }, () => attempt(payload, this.#key, ms));
    this.#attempts.push(...those);
    const outcomes = await Promise.allSettled(those.map((each) => each.begin()));
    const began = outcomes.flatMap((outcome, index) =>
      outcome.status === 'fulfilled' ? [{ workId: outcome.value, holder: first + index }] : [],
    );
    const record = this.#current();
    const free = record === undefined;
    const abandoned = record !== undefined && !record.kept && record.until <= now;
    expect(began).toHaveLength(free || (abandoned && record.payload === payload) ? 1 : 0);
    const [winner] = began;
    if (winner === undefined) return;
    const before = this.#record;
    expect(before === undefined || before.kept || before.until <= now).toBe(true);
    if (free) expect(this.#workIds).not.toContain(winner.workId);
    else expect(winner.workId).toBe(record.workId);
    this.#workIds.add(winner.workId);
    this.#record = { ...winner, payload, until: now + ms, expiresAt: expiry(), kept: false };
  }

  async #end(how: 'keep' | 'fail', which: number): Promise<void> {
    const index = this.#attempts.length === 0 ? -1 : which % this.#attempts.length;
    const one = this.#attempts[index];
    if (one === undefined) return;
    const record = this.#record;
    const holds = record?.holder === index;
    const refused = await one[how]().then(
      () => false,
      () => true,
    );
    expect(refused).toBe(how === 'keep' && !holds);
    if (!holds || record.kept) {
      if (holds && how === 'keep') record.expiresAt = expiry();
      return;
    }
    if (how === 'keep') Object.assign(record, { kept: true, expiresAt: expiry() });
    else record.until = 0;
  }

  #current() {
    return this.#record === undefined || this.#record.expiresAt <= Math.floor(now / 1_000)
      ? undefined
      : this.#record;
  }
}

const expiry = () => Math.floor(now / 1_000) + hours * 3_600;
