import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { comparedSchema } from '../../../functions/recovery/catalog/restore-record.ts';
import { combineDigests } from '../../../functions/recovery/digest.ts';
import { IncompleteBackupError } from '../../../functions/recovery/errors.ts';
import { type ShardPlan, shardPlanSchema } from '../../../functions/recovery/restore/events.ts';
import { differencesOf } from '../../../functions/recovery/restore/judge.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const object = {
  ...{ kind: 'sequences', key: 'k', versionId: 'v', sha256: digest('k'), storedBytes: 1 },
  ...{ compression: 'zstd', plainBytes: 1, context: {} },
};
const server = {
  ...{
    version: '18.4',
    versionNum: 180004,
    encoding: 'UTF8',
    collate: 'C',
    ctype: 'C',
    localeProvider: 'libc',
  },
  ...{ locale: null, collationVersion: null, blockBytes: 8192 },
};

function planOf(tables: { oid: number; rows: string[] }[]): ShardPlan {
  return shardPlanSchema.parse({
    ...{
      preData: object,
      postData: object,
      sequences: object,
      server,
      extensions: [],
      roles: [],
      partial: false,
    },
    tables: tables.map(({ oid, rows }) => ({
      ...{ oid, schema: 'app', name: `t${oid}`, columns: [], rows: rows.length },
      digest: combineDigests(rows.map(digest)),
    })),
  });
}

/** The notes of a comparison that read the tables in parts. */
function comparedIn(parts: { oid: number; rows: string[] }[]) {
  return parts.map(({ oid, rows }, item) =>
    comparedSchema.parse({
      ...{ shard: 'shard-a', item },
      tables: [{ table: oid, rows: rows.length, digest: combineDigests(rows.map(digest)) }],
    }),
  );
}

const tables = fc.uniqueArray(
  fc.record({ oid: fc.integer({ min: 1, max: 99 }), rows: fc.array(fc.string(), { maxLength: 12 }) }),
  { selector: ({ oid }) => oid, maxLength: 6 },
);

describe('a comparison', () => {
  it('finds equal tables equal, however their rows are cut into parts', () => {
    fc.assert(
      fc.property(tables, fc.nat(12), (all, cut) => {
        const parts = all.flatMap(({ oid, rows }) => [
          { oid, rows: rows.slice(cut) },
          { oid, rows: rows.slice(0, cut) },
        ]);
        expect(differencesOf(planOf(all), comparedIn(parts))).toEqual([]);
      }),
    );
  });

  it('names the one table that has a row more, fewer, twice or changed', () => {
    const rows = ['a', 'b', 'b', 'c'];
    const plan = planOf([
      { oid: 1, rows },
      { oid: 2, rows },
    ]);
    for (const changed of [
      ['a', 'b', 'c'],
      [...rows, 'd'],
      ['a', 'b', 'b', 'C'],
      ['a', 'b', 'c', 'c'],
    ]) {
      const found = comparedIn([
        { oid: 2, rows },
        { oid: 1, rows: changed },
      ]);
      expect(differencesOf(plan, found)).toEqual([
        { table: '"app"."t1"', expectedRows: 4, rows: changed.length, sameDigest: false },
      ]);
    }
  });

  it('is no comparison while a table has not been read', () => {
    const plan = planOf([{ oid: 1, rows: [] }]);
    expect(() => differencesOf(plan, [])).toThrow(IncompleteBackupError);
  });
});
