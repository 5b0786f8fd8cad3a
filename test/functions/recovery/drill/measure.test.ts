import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type BackupRecord,
  backupRecordSchema,
} from '../../../../functions/recovery/catalog/backup-record.ts';
import { chooseRestorePoint } from '../../../../functions/recovery/drill/choose.ts';
import { measureRpo, measureRto } from '../../../../functions/recovery/drill/measure.ts';
import { shardNameSchema } from '../../../../functions/recovery/ids.ts';

const names = ['shard-a', 'shard-b', 'shard-c'].map((name) => shardNameSchema.parse(name));
const start = Date.parse('2026-11-22T04:00:00.000Z');
const minute = 60_000;

function backup(id: string, taken: Readonly<Record<string, number>>): BackupRecord {
  const stages = Object.fromEntries(
    ['dump', 'compress', 'encrypt', 'hash', 'store'].map((stage) => [stage, { bytes: 0, durationMs: 0 }]),
  );
  return backupRecordSchema.parse({
    ...{ id, state: 'completed', type: 'full', trigger: 'schedule', traceparent: '' },
    shards: Object.keys(taken),
    createdAt: new Date(start).toISOString(),
    shardDetails: Object.entries(taken).map(([shard, at]) => ({
      ...{ shard, stage: 'done', snapshotAt: new Date(at).toISOString(), stages },
      ...{ relations: 1, chunksTotal: 1, chunksDone: 1, rows: 1, bytesRead: 1, bytesStored: 1 },
    })),
  });
}

describe('the measured RPO', () => {
  it('is the age of the oldest of the newest backups of each shard', () => {
    const backups = [
      backup('b2', { 'shard-a': start - 10 * minute }),
      backup('b1', { 'shard-a': start - 70 * minute, 'shard-b': start - 65 * minute }),
    ];
    const [a, b, c] = names;
    expect(measureRpo(backups, [a ?? never, b ?? never], start)).toMatchObject({
      rpoMs: 65 * minute,
      shards: [
        { shard: a, backupId: 'b2', rpoMs: 10 * minute },
        { shard: b, backupId: 'b1', rpoMs: 65 * minute },
      ],
    });
    expect(measureRpo(backups, [a ?? never, c ?? never], start)).toMatchObject({
      rpoMs: null,
      shards: [{ rpoMs: 10 * minute }, { backupId: null, snapshotAt: null, rpoMs: null }],
    });
  });

  it('never grows by one more backup, and does not depend on their order', () => {
    const taken = fc.dictionary(
      fc.constantFrom(...names.map(String)),
      fc.integer({ min: start - 100 * minute, max: start }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(fc.array(taken, { maxLength: 8 }), taken, (all, more) => {
        const backups = all.map((shards, index) => backup(`b${index}`, shards));
        const before = measureRpo(backups, names, start);
        const after = measureRpo([backup('more', more), ...backups], names, start);
        expect(after.rpoMs ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(
          before.rpoMs ?? Number.POSITIVE_INFINITY,
        );
        expect(measureRpo(backups.toReversed(), names, start).rpoMs).toBe(before.rpoMs);
        const oldest = Math.max(...before.shards.map(({ rpoMs }) => rpoMs ?? Number.POSITIVE_INFINITY));
        expect(before.rpoMs ?? Number.POSITIVE_INFINITY).toBe(oldest);
      }),
    );
  });
});

describe('the measured RTO', () => {
  it('is divided into stages that follow each other', () => {
    const measured = measureRto({
      ...{ requestedAt: 1_000, plannedAt: 2_000, firstRowsAt: 4_000, lastRowsAt: 9_000 },
      ...{ comparedAt: 10_000, checkedAt: 13_000 },
    });
    expect(measured).toEqual({
      rtoMs: 12_000,
      stages: [
        { stage: 'plan', durationMs: 1_000 },
        { stage: 'schema', durationMs: 2_000 },
        { stage: 'rows', durationMs: 5_000 },
        { stage: 'indexes and comparison', durationMs: 1_000 },
        { stage: 'checks', durationMs: 3_000 },
      ],
    });
  });

  it('is the sum of its stages, none of them negative, in whatever order clocks say it was', () => {
    const at = fc.integer({ min: 0, max: 1_000_000 });
    const maybe = fc.option(at, { nil: undefined });
    const milestones = fc.record({
      ...{ requestedAt: at, plannedAt: maybe, firstRowsAt: maybe },
      ...{ lastRowsAt: maybe, comparedAt: maybe, checkedAt: maybe },
    });
    fc.assert(
      fc.property(milestones, (given) => {
        const { stages, rtoMs } = measureRto(given);
        const sum = stages.reduce((total, { durationMs }) => total + durationMs, 0);
        expect(stages.every(({ durationMs }) => durationMs >= 0)).toBe(true);
        expect(rtoMs ?? sum).toBe(sum);
        if (rtoMs !== null) expect(given.checkedAt).toBeDefined();
        if (rtoMs !== null) expect(given.requestedAt + rtoMs).toBeGreaterThanOrEqual(given.checkedAt ?? 0);
      }),
    );
  });
});

describe('the choice of a restore point', () => {
  const points = [
    backup('b3', { 'shard-b': start }),
    backup('b2', { 'shard-a': start, 'shard-b': start }),
    backup('b1', { 'shard-a': start }),
  ];
  const [a, b] = names;

  it('is the newest one that holds the shards', () => {
    const pick = () => 0;
    expect(chooseRestorePoint(points, 'latest', undefined, pick).id).toBe('b3');
    expect(chooseRestorePoint(points, 'latest', [a ?? never], pick).id).toBe('b2');
    expect(() => chooseRestorePoint(points, 'latest', names, pick)).toThrow(
      'shard-a and shard-b and shard-c',
    );
    expect(() => chooseRestorePoint([], 'random', undefined, pick)).toThrow('no complete backup');
  });

  it('is any one of them, when it is left to chance', () => {
    const asked: number[] = [];
    const chosen = [0, 1].map(
      (index) =>
        chooseRestorePoint(points, 'random', [b ?? never], (below) => {
          asked.push(below);
          return index;
        }).id,
    );
    expect({ chosen, asked }).toEqual({ chosen: ['b3', 'b2'], asked: [2, 2] });
  });
});

/** The lists above are not empty. */
const never = shardNameSchema.parse('none');
