import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Of } from '../../functions/recovery/hash.ts';
import { waitFor } from '../support/wait-for.ts';
import { Backups, type ObjectVersion } from './support/backups.ts';
import { digestTables, onShard, qualified } from './support/databases.ts';
import { Drills } from './support/drills.ts';
import { root } from './support/recovery.ts';
import { Restores } from './support/restores.ts';
import { StoredBackup } from './support/stored-backup.ts';

const shard = 'shard-b';

describe('a restore', () => {
  let backups: Backups;
  let restores: Restores;
  let backupId: string;
  let source: Record<string, string>;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    backupId = (await backups.take({ shards: [shard] })).id;
    source = await onShard(backups.local, shard, digestTables);
  });
  afterEach(() => backups.breakage.mend());
  afterAll(async () => {
    await restores.tidy();
    await backups.tidy();
  });

  const digestsIn = (database: string) => onShard(backups.local, shard, digestTables, database);

  it('makes a database beside the original that is the same in every row, and says so', async () => {
    const restore = await restores.take({ backupId });
    const [detail] = restore.shardDetails;
    expect(restore).toMatchObject({
      mode: 'new',
      identical: true,
      attempts: 1,
      safetyBackupId: null,
      progress: { stage: 'done', etaMs: 0, objectsDone: restore.plan?.objects },
    });
    expect(detail).toMatchObject({ shard, keptDatabase: null, differences: [], rows: restore.plan?.rows });
    expect(detail?.tablesCompared).toBeGreaterThan(20);
    expect(await restores.databases(shard)).toEqual(['platform', detail?.database]);
    expect(await digestsIn(detail?.database ?? '')).toEqual(source);
  });

  it('only looks when it is asked to, and tells the size, the time, and what is in the way', async () => {
    const taken = (await restores.databases(shard)).find((name) => name !== 'platform');
    const free = await restores.take({ backupId, dryRun: true });
    expect(free).toMatchObject({ dryRun: true, identical: null, plan: { conflicts: [] } });
    expect(free.plan?.bytes).toBeGreaterThan(10_000_000);
    expect(free.plan?.estimatedMs).toBeGreaterThan(0);
    const occupied = await restores.take({ backupId, dryRun: true, database: taken });
    expect(occupied.plan?.conflicts).toEqual([{ shard, problem: expect.stringContaining(taken ?? '') }]);
    expect(await restores.databases(shard)).toEqual(['platform', taken]);
  });

  it('refuses a database that is there already, and leaves it as it is', async () => {
    const restore = await restores.ended(await restores.start({ backupId, database: 'platform' }));
    expect(restore).toMatchObject({ state: 'failed', error: { code: 'RestoreConflictError' } });
    expect(await onShard(backups.local, shard, digestTables)).toEqual(source);
  });

  it('brings back the rows of one table, under the DDL of all', async () => {
    const { manifest } = await StoredBackup.open(backups.local, backupId);
    const table = manifest.shards[0]?.tables.find(({ rows }) => rows > 1_000);
    const name = `"${table?.schema}"."${table?.name}"`;
    const restore = await restores.take({ backupId, tables: [name], database: 'platform_one_table' });
    expect(restore).toMatchObject({ identical: true, plan: { rows: table?.rows } });
    const restored = await digestsIn('platform_one_table');
    expect(Object.keys(restored)).toEqual(Object.keys(source));
    expect(restored[name]).toBe(source[name]);
    const others = Object.entries(restored).filter(([other]) => other !== name);
    expect(others.every(([, digest]) => digest === '0 0')).toBe(true);
  });

  it('is rehearsed by a drill, which says what it has proven and measured, and leaves nothing', async () => {
    const before = await restores.databases(shard);
    const drills = new Drills(backups.call);
    const drill = await drills.take({ restorePoint: backupId });
    expect(drill).toMatchObject({
      ...{ backupId, restoreId: drill.id, shards: [shard], findings: [], cancelRequested: false },
      progress: { stage: 'done', checksDone: 4, checksTotal: 4 },
      verification: { reused: true, operationId: null },
    });
    expect(Object.fromEntries(drill.checks.map(({ check, checked }) => [check, checked]))).toEqual({
      assertions: 0,
      'foreign-keys': expect.any(Number),
      indexes: expect.any(Number),
      sequences: expect.any(Number),
    });
    expect(await restores.databases(shard)).toEqual(before);

    const report = await drills.report(drill.id);
    expect(report).toMatchObject({
      ...{ outcome: 'completed', error: null, scratchDatabases: 'removed' },
      restore: { identical: true, database: `mainstay_drill_${drill.id.toLowerCase()}` },
      rpo: { met: true, measuredMs: drill.rpoMs },
      rto: { met: true, measuredMs: drill.rtoMs },
    });
    expect(report.rto.stages.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(drill.rtoMs);
    expect(report.restore?.tablesCompared).toBeGreaterThan(20);
    const path = `${root}/test/${drill.id}/report`;
    const markdown = await backups.call('GET', path, { headers: { accept: 'text/markdown' } });
    expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(sha256Of(String(markdown.body))).toBe(drill.report?.markdownSha256);
    expect(markdown.body).toContain(`# Drill ${drill.id}: completed`);
    expect(drill.report?.key).toBe(`drills/${drill.id}/report.json`);
  });

  it('stops at a damaged object by name, and goes on from there when it is as it was', async () => {
    const damaged = await largestObject();
    await backups.flipBit(damaged);
    const tables = [damaged.table];
    const id = await restores.start({ backupId, database: 'platform_damaged', tables });
    const failed = await restores.ended(id);
    expect(failed).toMatchObject({ state: 'failed', resumableUntil: expect.any(String) });
    expect(failed.error).toMatchObject({ message: expect.stringContaining(damaged.key) });

    await backups.flipBit(damaged);
    const { status } = await backups.call('POST', `${root}/restore/${id}/resume`);
    expect(status).toBe(202);
    const resumed = await restores.until(
      id,
      'the end',
      ({ state }) => state !== 'failed' && state === 'completed',
    );
    expect(resumed).toMatchObject({ identical: true, attempts: 2 });
    expect((await digestsIn('platform_damaged'))[damaged.table]).toBe(source[damaged.table]);
  });

  it('can be canceled, and leaves no database behind', async () => {
    await backups.breakage.inject({
      ...{ service: 's3', operation: 'GetObject', caller: 'RecoveryRestoreRows' },
      ...{ times: 1_000, delayMs: 300 },
    });
    const id = await restores.start({ backupId, database: 'platform_canceled' });
    await restores.until(id, 'the rows', ({ shardDetails }) => shardDetails[0]?.stage === 'rows');
    expect(await restores.databases(shard)).toContain('platform_canceled');
    expect((await backups.call('POST', `${root}/restore/${id}/cancel`)).status).toBe(202);
    expect(await restores.ended(id)).toMatchObject({ state: 'canceled', cancelRequested: true });
    await backups.breakage.mend();
    await waitFor(async () => !(await restores.databases(shard)).includes('platform_canceled'), {
      what: 'the database to be removed',
    });
    expect((await backups.call('POST', `${root}/restore/${id}/resume`)).status).toBe(409);
  });

  it.each([
    ['body.pointInTime', { pointInTime: 'yesterday' }],
    ['body.tables', { backupId: 'x', mode: 'replace', tables: ['a.b'] }],
    ['body.database', { backupId: 'x', database: '../etc' }],
    ['body.mode', { backupId: 'x', mode: 'overwrite' }],
    ['body.force', { backupId: 'x', force: true }],
  ])('that is asked for wrongly is refused by the name of the field: %s', async (field, body) => {
    const answer = await backups.call('POST', `${root}/restore`, { body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  it.each([
    ['body.backupId', {}],
    ['body.backupId', { backupId: 'x', pointInTime: 'latest' }],
    ['body.tables', { pointInTime: 'latest', tables: ['a.b'] }],
    ['body.cutOver', { backupId: 'x', cutOver: true }],
  ])(
    'is either of a backup or to a point in time, or is refused by the name of the field: %s',
    async (field, body) => {
      const answer = await backups.call('POST', `${root}/restore`, { body });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ field }] } });
    },
  );

  it('of what is not there is refused: an unknown backup, an unknown shard of it', async () => {
    const unknown = await backups.call('POST', `${root}/restore`, { body: { backupId: 'nothing' } });
    expect(unknown.status).toBe(404);
    const wrong = await backups.call('POST', `${root}/restore`, { body: { backupId, shards: ['shard-a'] } });
    expect(wrong).toMatchObject({ status: 422, body: { errors: [{ field: 'body.shards' }] } });
    expect((await backups.call('GET', `${root}/restore/nothing`)).status).toBe(404);
  });

  async function largestObject(): Promise<ObjectVersion & { table: string }> {
    const { manifest } = await StoredBackup.open(backups.local, backupId);
    const [largest] = manifest.shards
      .flatMap(({ chunks }) => chunks)
      .sort((a, b) => b.storedBytes - a.storedBytes);
    const { schema, name } = largest?.rows?.range ?? { schema: '', name: '' };
    return {
      key: largest?.key ?? '',
      versionId: largest?.versionId ?? '',
      table: qualified({ schema, name }),
    };
  }
});
