import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { exampleFiles, hostileFiles, loadExample } from '../../../local/example/example-platform.ts';
import type { PostgresClusters } from '../../../local/postgres/clusters.ts';
import type { ClusterDescription } from '../../../local/postgres/description.ts';
import { connect, database, type Login, makeCluster, master, query, Sandbox } from '../postgres/support.ts';

let sandbox: Sandbox;
let clusters: PostgresClusters;
let cluster: ClusterDescription;
let login: Login;
let client: pg.Client;

const connection = (name: string): pg.ClientConfig => ({
  ...cluster.endpoint,
  user: master.username,
  password: master.password,
  database: name,
  ssl: { ca: String(login.ca) },
});

beforeAll(async () => {
  sandbox = await Sandbox.create();
  clusters = await sandbox.clusters();
  cluster = await makeCluster(clusters, 'shard-a', 1);
  login = { ca: await readFile(clusters.authorityFile, 'utf8') };
  expect(await loadExample({ connection: connection(database), shard: 'shard-a' })).toBe('loaded');
  client = await connect(cluster.endpoint, login);
  await client.query(
    'GRANT pg_read_all_data TO CURRENT_USER; GRANT platform_owner TO CURRENT_USER WITH INHERIT TRUE',
  );
}, 60_000);

afterAll(async () => {
  await client.end();
  await sandbox.dispose();
});

interface Table {
  name: string;
  owner: string;
  rows: number;
}

/** Every table that holds rows itself, with their number. */
async function tablesOf(session: pg.Client): Promise<Table[]> {
  const { rows } = await session.query<{ name: string; owner: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_get_userbyid(c.relowner) AS owner
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
     ORDER BY 1`);
  const tables: Table[] = [];
  for (const { name, owner } of rows) {
    const count = await session.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ONLY ${name}`);
    tables.push({ name, owner, rows: count.rows[0]?.rows ?? 0 });
  }
  return tables;
}

const one = async (text: string) => (await client.query<Record<string, unknown>>(text)).rows[0];

describe('the example platform', () => {
  it("has at least 100 000 rows over two shards, all of them the application owner's", async () => {
    const tables = await tablesOf(client);
    expect(tables.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(100_000);
    expect(new Set(tables.map(({ owner }) => owner))).toEqual(new Set(['platform_owner']));
  });

  it('is loaded once', async () => {
    const before = await tablesOf(client);
    expect(await loadExample({ connection: connection(database), shard: 'shard-a' })).toBe('present');
    expect(await tablesOf(client)).toEqual(before);
  });

  it('is the same at every first start, for each shard its own', async () => {
    await client.query('CREATE DATABASE again');
    const again = await connect(cluster.endpoint, { ...login, database: 'again' });
    await again.query(`SELECT set_config('example.shard', 'shard-a', false)`);
    const [roles, types, platform] = await exampleFiles();
    await again.query(`BEGIN; ${roles?.sql} ${types?.sql} ${platform?.sql} COMMIT`);
    const digests = async (session: pg.Client) => {
      const found: Record<string, unknown> = {};
      for (const table of ['tenants', 'users', 'memberships', 'api_tokens']) {
        const { rows } = await session.query(
          `SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) AS digest FROM platform.${table} AS t`,
        );
        found[table] = rows[0].digest;
      }
      return found;
    };
    expect(await digests(again)).toEqual(await digests(client));
    await again.end();
    const first = createHash('md5').update('shard-a/tenant/1').digest('hex');
    const tenant = await one(
      `SELECT replace(id::text, '-', '') AS id FROM platform.tenants WHERE slug = 'tenant-1'`,
    );
    expect(tenant).toEqual({ id: first });
  }, 60_000);

  it('has partitions of several kinds, one of them empty', async () => {
    expect(
      await one(`
      SELECT count(*) FILTER (WHERE relkind = 'p')::int AS partitioned,
             count(*) FILTER (WHERE relkind = 'r')::int AS leaves
        FROM pg_class WHERE relispartition OR relkind = 'p'`),
    ).toEqual({ partitioned: 3, leaves: 11 });
    expect(await one('SELECT count(*)::int AS rows FROM activity.events_2027_01')).toEqual({ rows: 0 });
    expect(await one('SELECT count(*)::int AS rows FROM activity.events_2026_05')).toEqual({
      rows: expect.any(Number),
    });
  });

  it.each([
    ['enum', `SELECT count(*)::int AS found FROM pg_enum`],
    [
      'domain',
      `SELECT count(*)::int AS found FROM pg_type WHERE typtype = 'd' AND typnamespace = 'platform'::regnamespace`,
    ],
    [
      'stored generated column',
      `SELECT count(*)::int AS found FROM pg_attribute WHERE attgenerated = 's' AND attrelid > 16384`,
    ],
    [
      'virtual generated column',
      `SELECT count(*)::int AS found FROM pg_attribute WHERE attgenerated = 'v' AND attrelid > 16384`,
    ],
    ['identity column', `SELECT count(*)::int AS found FROM pg_attribute WHERE attidentity <> ''`],
    [
      'dropped column',
      `SELECT count(*)::int AS found FROM pg_attribute WHERE attisdropped AND attrelid = 'content.contents'::regclass`,
    ],
    [
      'deferrable foreign key',
      `SELECT count(*)::int AS found FROM pg_constraint WHERE contype = 'f' AND condeferred`,
    ],
    ['exclusion constraint', `SELECT count(*)::int AS found FROM pg_constraint WHERE contype = 'x'`],
    ['row-level policy', `SELECT count(*)::int AS found FROM pg_policies WHERE tablename = 'api_tokens'`],
    ['materialised view', `SELECT count(*)::int AS found FROM pg_matviews`],
    ['trigger', `SELECT count(*)::int AS found FROM pg_trigger WHERE NOT tgisinternal`],
    [
      'function in plpgsql',
      `SELECT count(*)::int AS found FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE lanname = 'plpgsql' AND p.oid > 16384`,
    ],
    [
      'unlogged table',
      `SELECT count(*)::int AS found FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'`,
    ],
    [
      'table without a key',
      `SELECT count(*)::int AS found FROM pg_class c WHERE oid = 'content.votes'::regclass AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid)`,
    ],
    [
      'empty table',
      `SELECT count(*)::int AS found FROM pg_class WHERE oid = 'activity.imports'::regclass AND pg_relation_size(oid) = 0`,
    ],
    [
      'inheritance child',
      `SELECT count(*)::int AS found FROM pg_inherits WHERE inhparent = 'content.media'::regclass`,
    ],
    [
      'value of a megabyte',
      `SELECT count(*)::int AS found FROM hostile.large WHERE octet_length(noise) > 1000000 OR length(plain) > 1000000`,
    ],
  ])('has a %s', async (_what, text) => {
    expect((await one(text))?.found).toBeGreaterThan(0);
  });

  it('holds every byte, and what COPY escapes', async () => {
    const { rows } = await client.query<{ value: Buffer }>(
      'SELECT value FROM hostile.bytes WHERE id <= 255 ORDER BY id',
    );
    expect(rows.map(({ value }) => [...value])).toEqual(Array.from({ length: 256 }, (_, byte) => [byte]));
    const texts = await client.query<{ what: string; value: string | null }>(
      'SELECT what, value FROM hostile.texts',
    );
    const values = new Map(texts.rows.map(({ what, value }) => [what, value]));
    expect(values.get('null')).toBeNull();
    expect(values.get('empty')).toBe('');
    expect(values.get('literal \\N')).toBe('\\N');
    expect(values.get('literal \\.')).toBe('\\.');
    expect(values.get('end of data on a line of its own')).toBe('before\n\\.\nafter');
  });

  it('has names that need quoting', async () => {
    const { rows } = await client.query('SELECT * FROM "we""ird schema"."täble ✓ ; drop" WHERE "select" = 1');
    expect(Object.keys(rows[0])).toEqual(
      expect.arrayContaining(['select', 'quo"te\'d', 'line\nbreak', '名前 🚀']),
    );
  });

  it('hides the tokens of other tenants from the platform itself', async () => {
    await client.query('BEGIN');
    await client.query('GRANT platform_app TO CURRENT_USER WITH SET TRUE; SET LOCAL ROLE platform_app');
    expect(await one('SELECT count(*)::int AS rows FROM platform.api_tokens')).toEqual({ rows: 0 });
    await client.query(
      `SELECT set_config('app.tenant_id', id::text, true) FROM platform.tenants WHERE slug = 'tenant-2'`,
    );
    expect((await one('SELECT count(*)::int AS rows FROM platform.api_tokens'))?.rows).toBeGreaterThan(0);
    await client.query('ROLLBACK');
  });

  it('lets a sequence go on after the numbers it has given', async () => {
    const row = await one(
      `SELECT nextval('billing.invoice_number')::int > max(number) AS higher FROM billing.invoices`,
    );
    expect(row).toEqual({ higher: true });
  });
});

describe('the hostile parts', () => {
  it('can be loaded alone', async () => {
    await query(cluster.endpoint, login, 'CREATE DATABASE hostile');
    const alone = await connect(cluster.endpoint, { ...login, database: 'hostile' });
    for (const { sql } of await hostileFiles()) await alone.query(sql);
    expect((await tablesOf(alone)).length).toBeGreaterThan(20);
    await alone.end();
  }, 30_000);
});
