import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planChunks } from '../../../functions/recovery/chunks/plan.ts';
import type { PreviousTable } from '../../../functions/recovery/chunks/previous-ranges.ts';
import { coverageProblem } from '../../../functions/recovery/chunks/ranges.ts';
import { mayBeOf, snapshotBounds, windowSince } from '../../../functions/recovery/chunks/visibility.ts';
import { backupIdSchema, shardNameSchema } from '../../../functions/recovery/ids.ts';
import { referredProblems } from '../../../functions/recovery/manifest/check-referred.ts';
import { encodingOf } from '../../../functions/recovery/manifest/encoding.ts';
import type { ManifestShard } from '../../../functions/recovery/manifest/manifest.ts';
import {
  referableTables,
  type ShardNow,
  whyNotReferable,
} from '../../../functions/recovery/manifest/referable.ts';
import { ddlHash } from '../../../functions/recovery/schema/ddl-hash.ts';
import type { BlockRange, StoredObject } from '../../../functions/recovery/workflow.ts';

const circle = 2n ** 32n;
/** An id of 64 bits as a server gives them: never one of the first three of a circle. */
const id = fc.bigInt({ min: 3n, max: 2n ** 63n }).map((value) => (value % circle < 3n ? value + 3n : value));
const length = fc.bigInt({ min: 0n, max: 2n ** 31n - 1n });

describe('the window between two snapshots', () => {
  it('has every transaction that began in it, also where ids of 32 bits begin anew', () => {
    fc.assert(
      fc.property(id, length, fc.bigInt({ min: 0n, max: 2n ** 31n }), (since, span, offset) => {
        const window = windowSince(String(since), `${since}:${since + span}:`);
        expect(window).toEqual({ since, until: since + span });
        if (window === undefined) return;
        const xid = since + offset;
        const asStored = Number(xid % circle);
        if (asStored < 3) return;
        expect(mayBeOf(window, asStored)).toBe(offset < span);
      }),
      { examples: [[circle - 2n, 10n, 5n]] },
    );
  });

  it('has no transaction of the 2^31 before it, and none that is no transaction', () => {
    fc.assert(
      fc.property(id, length, fc.bigInt({ min: 1n, max: 2n ** 31n }), (since, span, back) => {
        const window = windowSince(String(since), `${since}:${since + span}:`);
        if (window === undefined || since < back) return;
        const asStored = Number((since - back) % circle);
        expect(mayBeOf(window, asStored)).toBe(false);
        for (const special of [0, 1, 2]) expect(mayBeOf(window, special)).toBe(false);
      }),
    );
  });

  it('is refused when ids do not tell, the snapshots are in the other order, or are none', () => {
    expect(windowSince('100', `${100n + 2n ** 31n}:${100n + 2n ** 31n}:`)).toBeUndefined();
    expect(windowSince('100', '99:99:')).toBeUndefined();
    expect(windowSince('', '99:99:')).toBeUndefined();
    expect(windowSince('100', 'now')).toBeUndefined();
    expect(windowSince(String(circle + 1n), `${circle + 9n}:${circle + 9n}:`)).toBeUndefined();
    expect(snapshotBounds('10:20:10,14,15')).toEqual({ xmin: 10n, xmax: 20n });
  });
});

const targetBytes = 64 * 8192;
const name = { oid: 20_000, schema: 'public', name: 't' };
const tableOf = (blocks: number) => ({ ...name, blocks, bytes: blocks * 8192 });

function objectOf(range: BlockRange): StoredObject {
  return {
    kind: 'rows',
    key: `backups/earlier/shard-a/rows/${range.fromBlock}`,
    versionId: 'v',
    sha256: 'a'.repeat(64),
    storedBytes: 1,
    compression: 'zstd',
    plainBytes: 2,
    context: { 'mainstay:shard': 'shard-a' },
    rows: { range, count: 3, digest: 'b'.repeat(64) },
  };
}

const previousOf = (blocks: number, ranges: readonly BlockRange[]): PreviousTable => ({
  blocks,
  objects: ranges.map(objectOf),
  xmin: '700',
});

/** A chain of plans of one table, each from the one before, as it grows and shrinks. */
function chainOf(sizes: readonly number[]) {
  let previous: PreviousTable | undefined;
  return sizes.map((blocks) => {
    const before = previous;
    const known = new Map(before === undefined ? [] : [[name.oid, before]]);
    const ranges = planChunks([tableOf(blocks)], targetBytes, known).flatMap((work) => work.ranges);
    previous = previousOf(
      blocks,
      ranges.map(({ previous: _, ...range }) => range),
    );
    return { blocks, before, ranges };
  });
}

const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(2_000)), { minLength: 2, maxLength: 12 });

describe('the plan of an incremental backup', () => {
  it('covers every block exactly once, however the table grew and shrank', () => {
    fc.assert(
      fc.property(sizes, (blocks) => {
        for (const { ranges } of chainOf(blocks)) expect(coverageProblem(ranges)).toBeUndefined();
      }),
    );
  });

  it('refers to an object only for all the blocks that its rows were in', () => {
    fc.assert(
      fc.property(sizes, (blocks) => {
        for (const { before, ranges } of chainOf(blocks)) {
          for (const { previous, ...range } of ranges) {
            const then = previous?.object.rows?.range;
            if (then === undefined) continue;
            expect(range.fromBlock).toBe(then.fromBlock);
            if (then.toBlock !== null) expect(range.toBlock).toBe(then.toBlock);
            else
              expect(range.toBlock ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(before?.blocks ?? 0);
          }
        }
      }),
    );
  });

  it('keeps chunks near the target, however often a table grows by less than one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { minLength: 2, maxLength: 60 }), (growths) => {
        let blocks = 1;
        const grown = growths.map((growth) => (blocks += growth));
        for (const { ranges, blocks: now } of chainOf(grown)) {
          for (const { fromBlock, toBlock } of ranges)
            expect((toBlock ?? now) - fromBlock).toBeLessThan(3 * 64);
        }
      }),
    );
  });

  it('refers to everything of a table that stayed as it was', () => {
    fc.assert(
      fc.property(fc.nat(2_000), (blocks) => {
        const [first, second] = chainOf([blocks, blocks]);
        expect(second?.ranges.map(({ previous: _, ...range }) => range)).toEqual(first?.ranges);
        expect(second?.ranges.every(({ previous }) => previous !== undefined)).toBe(true);
      }),
    );
  });

  it('takes no range from objects that leave blocks out, or are another table’s', () => {
    const range = { ...name, fromBlock: 0, toBlock: null };
    const plan = (ranges: readonly BlockRange[]) =>
      planChunks([tableOf(10)], targetBytes, new Map([[name.oid, previousOf(10, ranges)]])).flatMap((work) =>
        work.ranges.filter(({ previous }) => previous !== undefined),
      );
    expect(plan([range])).toHaveLength(1);
    expect(plan([{ ...range, fromBlock: 5 }])).toEqual([]);
    expect(plan([{ ...range, name: 'renamed' }])).toEqual([]);
    expect(plan([])).toEqual([]);
  });
});

const keyArn = 'arn:aws:kms:eu-central-1:1:key/1';
const described = {
  ...tableOf(10),
  columns: [{ name: 'id', type: 'integer' }],
  generatedColumns: [],
  unlogged: false,
  filenode: 5,
  layout: 'c'.repeat(64),
};
const preData: StoredObject = {
  ...objectOf({ ...name, fromBlock: 0, toBlock: null }),
  kind: 'pre-data',
  contentSha256: 'd'.repeat(64),
};
const server: ManifestShard['server'] = {
  ...{
    version: '18.4',
    versionNum: 180_004,
    encoding: 'UTF8',
    collate: 'C',
    ctype: 'C',
    localeProvider: 'libc',
  },
  ...{ locale: null, collationVersion: null, blockBytes: 8192, databaseOid: 16_384 },
};
const origin = {
  instant: '2026-11-20T10:00:00.000Z',
  snapshot: '700:710:700,705',
  lsn: null,
  systemIdentifier: '1',
  timeline: 1,
  durable: true,
};
const then: ManifestShard = {
  ...{
    name: shardNameSchema.parse('shard-a'),
    database: 'platform',
    clusterIdentifier: 'shard-a',
    epoch: 1,
    resourceId: 'cluster-A',
  },
  ...{
    origin,
    server,
    extensions: [{ name: 'citext', version: '1.6', schema: 'public' }],
    materializedViews: [],
    roles: [],
  },
  ...{
    tables: [{ ...described, rows: 3, digest: 'b'.repeat(64) }],
    preData,
    postData: preData,
    sequences: preData,
  },
  chunks: [objectOf({ ...name, fromBlock: 0, toBlock: null })],
};
const now: ShardNow = {
  target: { database: 'platform', clusterIdentifier: 'shard-a', epoch: 1, resourceId: 'cluster-A' },
  origin: { ...origin, instant: '2026-11-20T16:00:00.000Z', snapshot: '800:800:' },
  description: { server, extensions: then.extensions, tables: [described], materializedViews: [], roles: [] },
  preData,
  encoding: encodingOf(keyArn),
};
const why = (changedThen: Partial<ManifestShard> = {}, changedNow: Partial<ShardNow> = {}) =>
  whyNotReferable({ ...then, ...changedThen }, encodingOf(keyArn), { ...now, ...changedNow });

describe('an earlier backup of a shard', () => {
  it('may be referred to when nothing around its rows is another', () => {
    expect(why()).toBeUndefined();
  });

  it.each<[string, Partial<ManifestShard>, Partial<ShardNow>]>([
    ['another database', {}, { target: { ...now.target, database: 'other' } }],
    ['another cluster', {}, { target: { ...now.target, clusterIdentifier: 'other' } }],
    ['another epoch', {}, { target: { ...now.target, epoch: 2 } }],
    ['another resource of the same name', {}, { target: { ...now.target, resourceId: 'cluster-B' } }],
    ['another system', {}, { origin: { ...now.origin, systemIdentifier: '2' } }],
    ['another timeline', {}, { origin: { ...now.origin, timeline: 2 } }],
    ['a system that was not told then', { origin: { ...origin, systemIdentifier: null } }, {}],
    ['what was not on disk', { origin: { ...origin, durable: false } }, {}],
    ['what nobody knows to have been on disk', { origin: { ...origin, durable: undefined } }, {}],
    ['too long ago', {}, { origin: { ...now.origin, snapshot: `${3n * 2n ** 31n}:${3n * 2n ** 31n}:` } }],
    ['later', { origin: { ...origin, snapshot: '900:900:' } }, {}],
    ['another server', { server: { ...server, versionNum: 180_003 } }, {}],
    ['another database of that name', { server: { ...server, databaseOid: 16_385 } }, {}],
    ['a time when databases had no number', { server: { ...server, databaseOid: undefined } }, {}],
    ['other extensions', { extensions: [{ name: 'citext', version: '1.5', schema: 'public' }] }, {}],
    ['other DDL', {}, { preData: { ...preData, contentSha256: 'e'.repeat(64) } }],
    [
      'DDL without a hash',
      { preData: { ...preData, contentSha256: undefined } },
      { preData: { ...preData, contentSha256: undefined } },
    ],
    ['another key', {}, { encoding: encodingOf(`${keyArn}2`) }],
  ])('is not referred to when it is of %s', (_, changedThen, changedNow) => {
    expect(why(changedThen, changedNow)).toBeDefined();
  });

  it('of a server that does not tell its history is known by the id of its resource', () => {
    const silent = { systemIdentifier: null, timeline: null };
    const silentThen = { origin: { ...origin, ...silent } };
    const silentNow = { origin: { ...now.origin, ...silent } };
    expect(why(silentThen, silentNow)).toBeUndefined();
    const { resourceId: _, ...target } = now.target;
    const { resourceId: __, ...unnamed } = then;
    expect(
      whyNotReferable({ ...unnamed, ...silentThen }, encodingOf(keyArn), { ...now, ...silentNow, target }),
    ).toBeDefined();
  });

  it.each([
    ['another file', { filenode: 6 }],
    ['no file', { filenode: null }],
    ['a file that is not known', { filenode: undefined }],
    ['other columns', { columns: [{ name: 'id', type: 'bigint' }] }],
    ['types made of something else', { layout: 'e'.repeat(64) }],
    ['text that does not follow from its rows', { layout: null }],
    ['another name', { name: 'other' }],
  ])('has no table that may be referred to when it has %s', (_, changed) => {
    const table = { ...described, ...changed };
    expect(referableTables(then, { tables: [described] })).toEqual(new Set([name.oid]));
    expect(referableTables(then, { tables: [table] })).toEqual(new Set());
    // The same, unknown on both sides, says nothing either.
    const both = { tables: [{ ...table, rows: 3, digest: 'b'.repeat(64) }] };
    if (table.layout === null || table.filenode == null)
      expect(referableTables(both, { tables: [table] })).toEqual(new Set());
  });
});

describe('an object of an earlier backup, at the commit', () => {
  const parent = {
    backupId: backupIdSchema.parse('01K9Z3V5Q0J8X7N2T4R6M1C9HB'),
    encoding: encodingOf(keyArn),
    shard: then,
  };
  const [known] = then.chunks;
  const problems = (object: StoredObject | undefined, from: typeof parent | undefined = parent) =>
    referredProblems(object === undefined ? [] : [object], from, now);
  const as = (toBlock: number | null, changed: Partial<StoredObject> = {}) => {
    const object = objectOf({ ...name, fromBlock: 0, toBlock });
    return { ...object, ...changed };
  };

  it('stands for its blocks, or for all that its rows were in', () => {
    expect(problems(known)).toEqual([]);
    expect(problems(as(10))).toEqual([]);
    expect(problems(as(9))).toHaveLength(1);
  });

  it('is refused when the parent has no such object, or says otherwise', () => {
    expect(referredProblems([as(null)], undefined, now)).toHaveLength(1);
    expect(problems(as(null, { sha256: 'f'.repeat(64) }))).toHaveLength(1);
    expect(problems(as(null, { versionId: 'other' }))).toHaveLength(1);
    expect(problems(as(null, { context: {} }))).toHaveLength(1);
    const range = { ...name, fromBlock: 0, toBlock: null };
    expect(problems(as(null, { rows: { range, count: 4, digest: 'b'.repeat(64) } }))).toHaveLength(1);
    expect(problems(as(null, { rows: { range, count: 3, digest: 'c'.repeat(64) } }))).toHaveLength(1);
    const moved = { ...now, description: { ...now.description, tables: [{ ...described, filenode: 6 }] } };
    expect(referredProblems([as(null)], parent, moved)).toHaveLength(1);
    const promoted = { ...now, origin: { ...now.origin, timeline: 2 } };
    expect(referredProblems([as(null)], parent, promoted)).toHaveLength(1);
  });
});

describe('the hash of DDL', () => {
  it('is the same for two dumps of one schema, and another for another', () => {
    const dump = (key: string, version: string, table: string) =>
      `\\restrict ${key}\n\n-- Dumped from database version ${version}\n-- Dumped by pg_dump version 18.3\n\nCREATE TABLE ${table} ();\n\\unrestrict ${key}\n`;
    expect(ddlHash(dump('a', '18.3', 't'))).toBe(ddlHash(dump('b', '18.4', 't')));
    expect(ddlHash(dump('a', '18.3', 't'))).not.toBe(ddlHash(dump('a', '18.3', 'u')));
  });
});
