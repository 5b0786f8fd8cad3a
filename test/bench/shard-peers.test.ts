import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { greedy, jump, modulo, rendezvous } from '../../bench/shards/peers.ts';
import { problemOf, unevenSpread, variationOf } from '../../bench/shards/workload.ts';
import { plan } from '../../functions/shards/balance/plan/plan.ts';

const hash = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const shards = fc.integer({ min: 1, max: 100 });

describe('jump hash', () => {
  it('gives the buckets that Guava’s implementation of the paper gives', () => {
    const first = [0, 55, 62, 8, 45, 59, 86, 97, 82, 59, 73, 37, 17, 56, 86, 21, 90, 37, 38, 83];
    expect(first.map((_, key) => jump(BigInt(key), 100))).toEqual(first);
    expect(jump(10_863_919_174_838_991n, 11)).toBe(6);
  });
});

describe.each([
  ['jump hash', jump],
  ['rendezvous', rendezvous],
])('%s', (_, placement) => {
  it('moves a key to the shard that is added, or not at all', () => {
    fc.assert(
      fc.property(hash, shards, (key, count) => {
        const [before, after] = [placement(key, count), placement(key, count + 1)];
        expect(before).toBeLessThan(count);
        expect([before, count]).toContain(after);
      }),
    );
  });

  it('gives each shard its part, as a modulo does', () => {
    for (const each of [placement, modulo]) {
      const loads = new Float64Array(8);
      for (let key = 0n; key < 8_000n; key += 1n) {
        const shard = each(BigInt.asUintN(64, key * 0x9e3779b97f4a7c15n) >> 1n, 8);
        loads[shard] = (loads[shard] ?? 0) + 1;
      }
      expect(variationOf(loads)).toBeLessThan(0.1);
    }
  });
});

describe('GREEDY', () => {
  it('empties a drained shard and comes under a threshold by moving no less than has to move', () => {
    const spread = unevenSpread(512, 8);
    const places = greedy(spread, 7, (loads) => variationOf(loads, 7) <= 0.1);
    const loads = new Float64Array(8);
    let [moved, all] = [0, 0];
    places?.forEach((shard, slot) => {
      const load = spread.slotLoads[slot] ?? 0;
      loads[shard] = (loads[shard] ?? 0) + load;
      all += load;
      if (shard !== spread.places[slot]) moved += load;
    });
    expect(loads[7]).toBe(0);
    expect(variationOf(loads, 7)).toBeLessThanOrEqual(0.1);
    const { leastMoved } = plan(problemOf(spread, { threshold: 0.1, drain: 7 }));
    expect(moved / all).toBeGreaterThanOrEqual(leastMoved - 1e-9);
  });

  it('says so when it has taken every slot away and loads are still not as wanted', () => {
    expect(greedy(unevenSpread(16, 2), undefined, () => false)).toBeUndefined();
  });
});
