import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { largestLease, leaseMs } from '../../../../functions/access/limits/quota.ts';
import { algorithmSchema } from '../../../../functions/access/policy.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { admitted, midnight, newCaller, processOf, request, route, table } from './samples.ts';

const windowMs = 60_000;
/** A bucket is larger by half a unit at most, for the rounding of its prices. */
const rounding = 0.5;
// Many questions to the store, on a machine that may be busy.
jest.setTimeout(30_000);
let dynamo: TestDynamo;

/** Whether the answer to a question that the store has answered is lost. */
let isLost: () => boolean;

beforeAll(async () => {
  dynamo = await startDynamo(table);
  dynamo.client.middlewareStack.add(
    (next) => async (input) => {
      const answer = await next(input);
      if (isLost()) throw new Error('socket hang up');
      return answer;
    },
    { step: 'initialize' },
  );
});
beforeEach(() => {
  isLost = () => false;
});
afterAll(() => dynamo.stop());

/** Requests that come at the same moment. */
const stepArbitrary = fc.record({
  advanceMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20_000 }), fc.constant(windowMs)),
  /** How many requests each process gets. */
  bursts: fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 3, maxLength: 3 }),
});
const runArbitrary = fc.record({
  algorithm: fc.constantFrom(...algorithmSchema.options),
  requests: fc.constantFrom(1, 3, 50, 120, 400),
  startMs: fc.integer({ min: 0, max: windowMs - 1 }),
  steps: fc.array(stepArbitrary, { minLength: 1, maxLength: 8 }),
});
type Run = typeof runArbitrary extends fc.Arbitrary<infer R> ? R : never;

/** Runs processes side by side. @returns when requests were let in, by the true clock, in order. */
async function simulate({ algorithm, requests, startMs, steps }: Run, skewsMs: readonly number[]) {
  let time = midnight + startMs;
  const caller = newCaller();
  const settings = { algorithm, tiers: { free: requests } };
  const processes = skewsMs.map((skewMs) => processOf(dynamo.client, settings, () => time + skewMs));
  const times: number[] = [];
  for (const { advanceMs, bursts } of steps) {
    time += advanceMs;
    await Promise.all(
      processes.map(async (limits, index) => {
        for (let i = 0; i < (bursts[index] ?? 0); i++) {
          if (await admitted(limits.ofCaller(change, caller, route)).catch(isUnavailable)) times.push(time);
        }
      }),
    );
  }
  return times;
}

const change = request({ method: 'POST' });
function isUnavailable(error: unknown): false {
  expect(error).toMatchObject({ status: 503 });
  return false;
}

/** How many requests had been let in at the end of each moment at which some were. */
function totals(times: readonly number[]): [number, number][] {
  return [...new Map(times.map((time, index) => [time, index + 1]))];
}

/** The most by which the requests of any span are more than `q · (1 + (t + extraMs) / w)`. */
function excess(times: readonly number[], requests: number, extraMs: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const [from] of totals(times)) {
    const before = times.indexOf(from);
    for (const [until, total] of totals(times)) {
      const bound = requests * (1 + (until - from + extraMs) / windowMs);
      if (until >= from) most = Math.max(most, total - before - bound);
    }
  }
  return most;
}

/** The estimate of a sliding window over requests that were let in, the latest included. */
function estimate(times: readonly number[]): number {
  const now = times.at(-1) ?? 0;
  const start = Math.floor(now / windowMs) * windowMs;
  const current = times.filter((time) => time >= start).length;
  const previous = times.filter((time) => time >= start - windowMs && time < start).length;
  return current + (previous * (windowMs - (now - start))) / windowMs;
}

/** What a bucket that is asked for every request misses after it has let in all of these. */
function missing(times: readonly number[], requests: number): number {
  let fullAt = 0;
  for (const time of times) fullAt = Math.max(fullAt, time) + windowMs / requests;
  return ((fullAt - (times.at(-1) ?? 0)) / windowMs) * requests;
}

describe('many processes that count the same requests', () => {
  it('never let in more than a window that is asked for every request', async () => {
    await fc.assert(
      fc.asyncProperty(runArbitrary, async (run) => {
        const times = await simulate({ ...run, algorithm: 'sliding-window' }, [0, 0, 0]);
        for (const [, total] of totals(times)) {
          expect(estimate(times.slice(0, total))).toBeLessThanOrEqual(run.requests + 1e-6);
        }
        expect(excess(times, run.requests, 0)).toBeLessThanOrEqual(1e-6);
      }),
      { numRuns: 3 },
    );
  });

  it('let in at most what idle leases hold more than a bucket that is asked for every request', async () => {
    await fc.assert(
      fc.asyncProperty(runArbitrary, async (run) => {
        const quota = { requests: run.requests, windowMs, algorithm: 'token-bucket' } as const;
        const times = await simulate({ ...run, algorithm: 'token-bucket' }, [0, 0, 0]);
        const refilled = (run.requests * leaseMs(quota)) / windowMs;
        const overshoot = Math.min(3 * largestLease(quota), refilled);
        for (const [, total] of totals(times)) {
          const bound = run.requests + overshoot + rounding;
          expect(missing(times.slice(0, total), run.requests)).toBeLessThanOrEqual(bound);
        }
        expect(excess(times, run.requests, leaseMs(quota))).toBeLessThanOrEqual(rounding);
      }),
      { numRuns: 3 },
    );
  });

  it('let in at most twice the skew of their clocks more', async () => {
    const skewMs = 5_000;
    const skews = fc.array(fc.integer({ min: -skewMs, max: skewMs }), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(runArbitrary, skews, async (run, skewsMs) => {
        const quota = { ...run, windowMs };
        const times = await simulate(run, skewsMs);
        const late = run.algorithm === 'token-bucket' ? leaseMs(quota) : 0;
        expect(excess(times, run.requests, 2 * skewMs + late)).toBeLessThanOrEqual(rounding);
      }),
      { numRuns: 3 },
    );
  });

  it('never let in more because answers of the store are lost', async () => {
    const losses = fc.infiniteStream(fc.boolean());
    await fc.assert(
      fc.asyncProperty(runArbitrary, losses, async (run, lost) => {
        isLost = () => lost.next().value;
        const late = run.algorithm === 'token-bucket' ? leaseMs({ ...run, windowMs }) : 0;
        const times = await simulate(run, [0, 0, 0]);
        expect(excess(times, run.requests, late)).toBeLessThanOrEqual(rounding);
      }),
      { numRuns: 6 },
    );
  });

  it.each(algorithmSchema.options)(
    'do not give idle units back twice when an answer is lost: %s',
    async (algorithm) => {
      const caller = newCaller();
      let now = midnight;
      const start = () => processOf(dynamo.client, { algorithm, tiers: { free: 400 } }, () => now);
      const use = (limits: ReturnType<typeof start>) => admitted(limits.ofCaller(change, caller, route));
      const [idle, busy] = [start(), start()];
      let count = 0;
      for (let i = 0; i < 16; i++) count += (await use(idle)) ? 1 : 0;
      for (let i = 0; i < 200; i++) count += (await use(busy)) ? 1 : 0;
      isLost = () => true;
      for (let i = 0; i < 3; i++) {
        now += i === 0 ? 10_000 : 1_000;
        await use(idle).catch(isUnavailable);
      }
      isLost = () => false;
      now += 1_000;
      for (const limits of [idle, start(), idle]) while (await use(limits)) count++;
      const refilled = algorithm === 'token-bucket' ? (400 * (now - midnight)) / windowMs : 0;
      expect(count).toBeLessThanOrEqual(400 + refilled);
    },
  );

  it.each(
    algorithmSchema.options.flatMap((algorithm) =>
      [1, 7, 999, 10_000].map((requests) => ({ algorithm, requests })),
    ),
  )('let in exactly $requests of a $algorithm when nothing lies idle', async ({ algorithm, requests }) => {
    const caller = newCaller();
    const processes = [0, 1, 2, 3].map(() =>
      processOf(dynamo.client, { algorithm, tiers: { free: requests } }, () => midnight),
    );
    let count = 0;
    await Promise.all(
      processes.map(async (limits) => {
        while (await admitted(limits.ofCaller(request(), caller, route))) count++;
      }),
    );
    expect(count).toBe(requests);
  });

  it.each(algorithmSchema.options)(
    'refuse nobody for more than what idle leases hold: %s',
    async (algorithm) => {
      const requests = 400;
      const idle = largestLease({ requests, windowMs, algorithm }) - 1;
      const caller = newCaller();
      const start = () => processOf(dynamo.client, { algorithm, tiers: { free: requests } }, () => midnight);
      let count = 0;
      // They stop with a lease that is as large as it gets and hardly used.
      for (const limits of [start(), start(), start()]) {
        for (let i = 0; i < 16; i++)
          count += (await admitted(limits.ofCaller(request(), caller, route))) ? 1 : 0;
      }
      const last = start();
      while (await admitted(last.ofCaller(request(), caller, route))) count++;
      expect(count).toBeLessThan(requests);
      expect(count).toBeGreaterThanOrEqual(requests - 3 * idle);
    },
  );

  it('do not give back in a new window what lay idle in the one before', async () => {
    const caller = newCaller();
    let now = midnight;
    const start = () => processOf(dynamo.client, { tiers: { free: 400 } }, () => now);
    const idle = start();
    for (let i = 0; i < 16; i++) await idle.ofCaller(request(), caller, route);
    // The end of the next window: hardly anything of the one before counts.
    now = midnight + 2 * windowMs - 1;
    let count = 0;
    for (const limits of [idle, start(), idle]) {
      while (await admitted(limits.ofCaller(request(), caller, route))) count++;
    }
    expect(count).toBe(399);
  });
});
