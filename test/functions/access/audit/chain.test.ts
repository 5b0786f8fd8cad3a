import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ChainItem,
  chainStart,
  followChain,
  linkEntry,
  sequenceKey,
} from '../../../../functions/access/audit/chain.ts';
import { boundEntry } from '../../../../functions/access/audit/entry.ts';
import type { ChainedEntry } from '../../../../functions/access/audit/model.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import { entryOf } from './support.ts';

const day = '2026-11-20';
const lane = 3;

/** A chain of `length` entries that differ; `from` on with other content. */
function chainOf(length: number, text = 'target'): ChainedEntry[] {
  const entries: ChainedEntry[] = [];
  for (let sequence = 1; sequence <= length; sequence++) {
    entries.push(
      linkEntry({
        ...boundEntry(entryOf({ target: `/${text}/${sequence}` })),
        ...{ day, lane, sequence, id: newId() },
        previous: entries.at(-1)?.hash ?? chainStart(day, lane),
      }),
    );
  }
  return entries;
}

/** Stored at their places in the list, from 1 on. */
const stored = (entries: readonly unknown[]): ChainItem[] =>
  entries.map((entry, index) => ({ key: sequenceKey(index + 1), entry }));
const endOf = (entries: readonly ChainedEntry[]) => ({
  entries: entries.length,
  head: entries.at(-1)?.hash ?? chainStart(day, lane),
});
const at = <T>(list: readonly T[], index: number): T => {
  const value = list[index];
  if (value === undefined) throw new RangeError(`Nothing at ${index}`);
  return value;
};

const lengths = fc.integer({ min: 2, max: 12 });
const chainAndPlace = lengths.chain((length) =>
  fc.record({ entries: fc.constant(chainOf(length)), place: fc.nat({ max: length - 1 }) }),
);

describe('a chain', () => {
  it('is whole as it was written, however long it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 12 }), async (length) => {
        const entries = chainOf(length);
        const state = await followChain(day, lane, stored(entries), endOf(entries));
        expect(state).toMatchObject({ ...endOf(entries), items: length, findings: [], findingCount: 0 });
      }),
      { numRuns: 20 },
    );
  });

  it('names a changed entry, whatever member was changed', async () => {
    const changes = fc.constantFrom<(entry: ChainedEntry) => unknown>(
      (entry) => ({ ...entry, at: '2026-11-20T10:00:00.001Z' }),
      (entry) => ({ ...entry, actor: { ...entry.actor, keyId: 'other' } }),
      (entry) => ({ ...entry, actor: {} }),
      (entry) => ({ ...entry, action: `${entry.action}/` }),
      (entry) => ({ ...entry, target: '' }),
      (entry) => ({ ...entry, sourceIp: '192.0.2.2' }),
      (entry) => ({ ...entry, outcome: 'refused' }),
      (entry) => ({ ...entry, status: 403 }),
      (entry) => ({ ...entry, traceId: '' }),
      (entry) => ({ ...entry, id: newId() }),
      (entry) => ({ ...entry, sequence: entry.sequence + 1 }),
      (entry) => ({ ...entry, lane: 4 }),
      (entry) => ({ ...entry, day: '2026-11-21' }),
      (entry) => ({ ...entry, previous: '0'.repeat(64) }),
      (entry) => ({ ...entry, hash: '0'.repeat(64) }),
    );
    await fc.assert(
      fc.asyncProperty(chainAndPlace, changes, async ({ entries, place }, change) => {
        const changed: unknown[] = [...entries];
        changed[place] = change(at(entries, place));
        const items = stored(changed);
        const { findings } = await followChain(day, lane, items);
        expect(findings[0]).toEqual({ sequence: place + 1, problem: 'changed' });
      }),
    );
  });

  it('names the entry after one that was changed and hashed anew, or with the seal the last', async () => {
    await fc.assert(
      fc.asyncProperty(chainAndPlace, async ({ entries, place }) => {
        const { hash, ...content } = at(entries, place);
        const items = stored(entries.with(place, linkEntry({ ...content, target: '/other' })));
        const { findings } = await followChain(day, lane, items, endOf(entries));
        const last = place === entries.length - 1;
        expect(findings).toEqual([
          last
            ? { sequence: entries.length, problem: 'not-as-sealed' }
            : { sequence: place + 2, problem: 'unlinked' },
        ]);
      }),
    );
  });

  it('names a removed entry, and with the seal also one at the end', async () => {
    await fc.assert(
      fc.asyncProperty(chainAndPlace, async ({ entries, place }) => {
        const items = stored(entries).toSpliced(place, 1);
        const { findings } = await followChain(day, lane, items, endOf(entries));
        const last = place === entries.length - 1;
        expect(findings).toEqual([{ sequence: place + 1, problem: last ? 'cut-off' : 'missing' }]);
      }),
    );
  });

  it('names the first place that is concerned when entries were removed and the others moved up', async () => {
    await fc.assert(
      fc.asyncProperty(chainAndPlace, async ({ entries, place }) => {
        fc.pre(place < entries.length - 1);
        const { findings } = await followChain(day, lane, stored(entries.toSpliced(place, 1)));
        expect(findings[0]).toEqual({ sequence: place + 1, problem: 'changed' });
      }),
    );
  });

  it('names the first of two entries that have changed places', async () => {
    await fc.assert(
      fc.asyncProperty(chainAndPlace, fc.nat(), async ({ entries, place }, seed) => {
        const other = seed % entries.length;
        fc.pre(other !== place);
        const swapped = entries.with(place, at(entries, other)).with(other, at(entries, place));
        const { findings } = await followChain(day, lane, stored(swapped));
        expect(findings[0]).toEqual({ sequence: Math.min(place, other) + 1, problem: 'changed' });
      }),
    );
  });

  it('names an entry that was inserted, also one that fits to the one before', async () => {
    await fc.assert(
      fc.asyncProperty(chainAndPlace, async ({ entries, place }) => {
        const { hash, ...content } = at(entries, place);
        const inserted = linkEntry({ ...content, id: newId(), target: '/inserted' });
        const { findings } = await followChain(day, lane, stored(entries.toSpliced(place, 0, inserted)));
        expect(findings[0]).toEqual({ sequence: place + 2, problem: 'changed' });
      }),
    );
  });

  it('is seen to be another when all that follows a change was hashed anew, by its seal alone', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, async (length) => {
        const items = stored(chainOf(length, 'forged'));
        expect((await followChain(day, lane, items)).findings).toEqual([]);
        const { findings } = await followChain(day, lane, items, endOf(chainOf(length)));
        expect(findings).toEqual([{ sequence: length, problem: 'not-as-sealed' }]);
      }),
      { numRuns: 20 },
    );
  });

  it('has nothing after its seal', async () => {
    const entries = chainOf(5);
    const { findings } = await followChain(day, lane, stored(entries), endOf(entries.slice(0, 3)));
    expect(findings).toEqual([{ sequence: 4, problem: 'added-after-seal' }]);
  });

  it('goes on after items that are no entries', async () => {
    const entries: unknown[] = chainOf(4);
    const items = [...stored(entries.with(1, { what: 'is this' })), { key: 'zzz', entry: {} }];
    const { findings, items: count } = await followChain(day, lane, items);
    expect(findings).toEqual([
      { sequence: 2, problem: 'unreadable' },
      { sequence: 5, problem: 'unreadable' },
    ]);
    expect(count).toBe(5);
  });

  it('lists ten findings and counts all', async () => {
    const items = stored(chainOf(12).map((entry) => ({ ...entry, status: 500 })));
    const { findings, findingCount } = await followChain(day, lane, items);
    expect(findings).toHaveLength(10);
    expect(findingCount).toBe(12);
  });
});
