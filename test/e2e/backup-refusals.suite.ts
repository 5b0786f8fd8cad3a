import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Backup } from '../../functions/recovery/model.ts';
import { Backups } from './support/backups.ts';
import { onShard } from './support/databases.ts';
import { functionLogs } from './support/functions.ts';
import { root } from './support/recovery.ts';

const shard = 'shard-b';
const removal = `SET ROLE platform_owner; DROP SCHEMA IF EXISTS secret CASCADE; RESET ROLE;
  SELECT lo_unlink(oid) FROM pg_largeobject_metadata;`;

describe('a backup that would not be complete', () => {
  let backups: Backups;
  let refused: Backup;

  beforeAll(async () => {
    backups = await Backups.open();
    await onShard(backups.local, shard, (client) =>
      client.query(`${removal} SET ROLE platform_owner; CREATE SCHEMA secret;
        CREATE TABLE secret."hidden; rows" (id integer);
        INSERT INTO secret."hidden; rows" SELECT generate_series(1, 10);
        ALTER TABLE secret."hidden; rows" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY few ON secret."hidden; rows" USING (id < 4);
        RESET ROLE;
        SELECT lo_from_bytea(0, 'not a row of any table');`),
    );
    refused = await backups.ended(await backups.start({ shards: [shard] }));
  });

  afterAll(async () => {
    await onShard(backups.local, shard, (client) => client.query(removal));
    await backups.tidy();
  });

  it('fails, and has no manifest; what it had stored is removed', async () => {
    expect(refused).toMatchObject({
      state: 'failed',
      verified: false,
      manifest: null,
      error: { code: 'PreflightError' },
    });
    await backups.released(shard);
    await backups.swept(refused.id);
    const { body } = await backups.call('GET', `${root}/backups?state=completed&limit=100`);
    expect(JSON.stringify(body)).not.toContain(refused.id);
  });

  it('names a table that a forced policy hides rows of, and the SQL that mends it', async () => {
    const message = refused.error?.message ?? '';
    expect(message).toContain('"secret"."hidden; rows": row level security is forced');
    expect(message).toContain('ALTER TABLE "secret"."hidden; rows" NO FORCE ROW LEVEL SECURITY;');
  });

  it('names large objects, which are in no table', () => {
    expect(refused.error?.message).toContain('1 large object: large objects are not part of a backup');
  });

  it('is logged under one trace, to what cleans up after it', async () => {
    await backups.swept(refused.id);
    const logs = await functionLogs('Recovery');
    const own = logs
      .map(({ name, lines }) => ({ name, lines: lines.filter((line) => line.backupId === refused.id) }))
      .filter(({ lines }) => lines.length > 0);
    expect(own.map(({ name }) => name)).toContainEqual(expect.stringContaining('RecoveryConcludeFun'));
    const traces = own.flatMap(({ lines }) => lines.map(({ traceId }) => traceId));
    expect([...new Set(traces)]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('goes on after what it said was done', async () => {
    const message = refused.error?.message ?? '';
    const mend = /-- or: (ALTER TABLE .* NO FORCE ROW LEVEL SECURITY;)/.exec(message)?.[1];
    const unlink = /(SELECT lo_unlink\(oid\) FROM pg_largeobject_metadata);/.exec(message)?.[1];
    await onShard(backups.local, shard, (client) =>
      client.query(`${unlink}; SET ROLE platform_owner; ${mend}`),
    );
    const id = await backups.start({ shards: [shard] });
    const mended = await backups.until(id, 'the chunks', ({ progress }) => progress.stage === 'chunks');
    expect(mended.shardDetails[0]?.snapshotAt).not.toBeNull();
    await backups.remove(id);
  });
});
