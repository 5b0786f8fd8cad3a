import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backupSummarySchema } from '../../functions/recovery/model.ts';
import { Backups } from './support/backups.ts';
import { onShard, quote } from './support/databases.ts';
import { root } from './support/recovery.ts';
import { Restores } from './support/restores.ts';

const shard = 'shard-b';
const tenant = { id: `e2e "'%_é`, by: 'schema' };
const schema = quote(`tenant_${tenant.id}`);

describe('a backup of one tenant', () => {
  let backups: Backups;
  let restores: Restores;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    await onShard(backups.local, shard, (client) =>
      client.query(`SET ROLE platform_owner; CREATE SCHEMA ${schema};
        CREATE TABLE ${schema}.notes (id serial PRIMARY KEY, note text);
        INSERT INTO ${schema}.notes (note) SELECT 'note ' || n FROM generate_series(1, 10) n;`),
    );
  });
  afterAll(async () => {
    await onShard(backups.local, shard, (client) => client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`));
    await restores.tidy();
    await backups.tidy();
  });

  it('is listed under its id, and restored into a new database that holds nothing else', async () => {
    const backup = await backups.take({ tenant, shards: [shard] });
    expect(backup).toMatchObject({
      type: 'full',
      tenant,
      components: ['database'],
      references: [],
      rows: 10,
    });
    const query = new URLSearchParams({ tenant: tenant.id });
    const { body } = await backups.call('GET', `${root}/backups?${query}`);
    const page: { backups: unknown[] } = Object(body);
    expect(page.backups.map((each) => backupSummarySchema.parse(each).id)).toEqual([backup.id]);

    const refused = await backups.call('POST', `${root}/restore`, {
      body: { backupId: backup.id, mode: 'replace' },
    });
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'body.mode', message: expect.stringContaining('tenant-backups.md') }] },
    });
    const restore = await restores.take({ backupId: backup.id });
    const [detail] = restore.shardDetails;
    expect({ identical: restore.identical, ...detail }).toMatchObject({
      identical: true,
      rows: 10,
      leftOut: [],
    });
    const rows = await onShard(
      backups.local,
      shard,
      async (client) =>
        (
          await client.query(
            `SELECT (SELECT count(*)::int FROM ${schema}.notes) AS notes, count(*)::int AS others
             FROM pg_tables WHERE schemaname LIKE 'platform%'`,
          )
        ).rows,
      detail?.database,
    );
    expect(rows).toEqual([{ notes: 10, others: 0 }]);
  });

  it('is refused where it would not be told apart', async () => {
    for (const [body, field] of [
      [{ tenant: { id: 'x'.repeat(63), by: 'schema' } }, 'body.tenant.id'],
      [{ tenant, components: ['files'] }, 'body.components'],
      [{ tenant: { id: 'a\u0000b', by: 'key' } }, 'body.tenant.id'],
    ] as const) {
      const answer = await backups.call('POST', `${root}/backup`, { body });
      expect(JSON.stringify(answer.body)).toContain(field);
      expect([400, 422]).toContain(answer.status);
    }
  });
});
