import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Compared, comparedSchema } from '../../../functions/recovery/catalog/restore-record.ts';
import { copyOut } from '../../../functions/recovery/chunks/copy-out.ts';
import { copySql, readCopiedTables } from '../../../functions/recovery/chunks/copy-sql.ts';
import { describeShard } from '../../../functions/recovery/chunks/describe-shard.ts';
import { listRestorePoints } from '../../../functions/recovery/drill/choose.ts';
import { UnknownTenantError } from '../../../functions/recovery/errors.ts';
import { coverOf } from '../../../functions/recovery/expiry/keep.ts';
import type { Manifest } from '../../../functions/recovery/manifest/manifest.ts';
import { objectsOf } from '../../../functions/recovery/manifest/objects-of.ts';
import { chooseParents } from '../../../functions/recovery/parents.ts';
import { compareRows, planComparison } from '../../../functions/recovery/restore/engine/compare.ts';
import { finishTarget } from '../../../functions/recovery/restore/engine/finish-target.ts';
import { loadObjects } from '../../../functions/recovery/restore/engine/load-objects.ts';
import { differencesOf } from '../../../functions/recovery/restore/judge.ts';
import { ofTenant } from '../../../functions/recovery/restore/of-tenant.ts';
import { quoteIdentifier } from '../../../functions/recovery/snapshot/sql.ts';
import { tenantCondition } from '../../../functions/recovery/tenants/condition.ts';
import {
  type TenantSelection,
  tenantIdSchema,
  tenantsConfigSchema,
} from '../../../functions/recovery/tenants/model.ts';
import { requireTenant } from '../../../functions/recovery/tenants/require-tenant.ts';
import { selectTenant } from '../../../functions/recovery/tenants/select-tenant.ts';
import { Restores } from './restore/support/restores.ts';
import { BackupRun, shard } from './support/run-backup.ts';
import { readContent } from './support/stored-content.ts';

let restores: Restores;

beforeAll(async () => {
  restores = await Restores.start();
});

afterAll(async () => {
  await restores?.close();
});

const config = tenantsConfigSchema.parse({
  schema: 'tenant_{id}',
  key: {
    column: 'tenant_id',
    tables: { 'app.orders': 'customer', 'app.events': 'whose' },
    shared: ['public.countries'],
  },
});
const byKey = (id: string): TenantSelection => selectTenant(config, { id, by: 'key' });
const bySchema = (id: string): TenantSelection => selectTenant(config, { id, by: 'schema' });

/** Everything that was stored of a backup, decrypted, and its manifest. */
async function everything(manifest: Manifest): Promise<string> {
  const texts = await Promise.all(
    objectsOf(manifest).map(async (object) => (await readContent(restores.world, object)).toString()),
  );
  return [JSON.stringify(manifest), ...texts].join('\n');
}

const platform = `
  CREATE TABLE countries (code text PRIMARY KEY); INSERT INTO countries VALUES ('ch'), ('at');
  CREATE TABLE secrets (id int PRIMARY KEY, value text); INSERT INTO secrets VALUES (1, 'nobody-s');
  CREATE TABLE users (id serial PRIMARY KEY, tenant_id varchar(40), name text, country text REFERENCES countries,
    secret int REFERENCES secrets);
  INSERT INTO users (tenant_id, name, country, secret) VALUES ('acme', 'mine-1', 'ch', 1), ('ACME', 'theirs-1', 'at', 1),
    ('acme ', 'theirs-2', 'at', NULL), (NULL, 'theirs-3', 'at', NULL), ('acme', 'mine-2', 'at', NULL);
  CREATE SCHEMA app;
  CREATE COLLATION app.lax (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TABLE app.orders (customer text COLLATE app.lax, note text);
  INSERT INTO app.orders VALUES ('acme', 'mine-3'), ('Acme', 'theirs-4'), (E'acme\\nx', 'theirs-5');
  CREATE TABLE app.events (day int, whose char(10), what text) PARTITION BY RANGE (day);
  CREATE TABLE app.early PARTITION OF app.events FOR VALUES FROM (0) TO (10);
  CREATE TABLE app.late PARTITION OF app.events FOR VALUES FROM (10) TO (20);
  INSERT INTO app.events VALUES (1, 'acme', 'mine-4'), (2, 'other', 'theirs-6'), (11, 'acme', 'mine-5'), (12, 'x', 'theirs-7');
  CREATE TABLE big (tenant_id text, filler text);
  INSERT INTO big SELECT CASE WHEN n % 50 = 0 THEN 'acme' ELSE 'theirs-' || n END, repeat('x', 200)
    FROM generate_series(1, 5000) n;
  ANALYZE;`;

describe('a backup of one tenant by key', () => {
  it('holds its rows and what is shared, and not one byte of another; restored, it is the same', async () => {
    const backup = await restores.backUp(platform, { tenant: byKey('acme'), type: 'full' });
    const { manifest, shard } = backup;
    expect(manifest).toMatchObject({ type: 'full', tenant: { id: 'acme', by: 'key' } });
    expect(
      shard.tables
        .filter(({ schema }) => schema !== 'mainstay')
        .map(({ schema, name, selection, rows }) => `${schema}.${name} ${selection} ${rows}`),
    ).toEqual([
      ...['app.early tenant 1', 'app.late tenant 1', 'app.orders tenant 1', 'public.big tenant 100'],
      ...['public.countries all 2', 'public.secrets none 0', 'public.users tenant 2'],
    ]);
    const big = shard.tables.find(({ name }) => name === 'big')?.oid;
    expect(shard.chunks.filter(({ rows }) => rows?.range.oid === big).length).toBeGreaterThan(1);
    const rows = await Promise.all(
      shard.chunks.map(async (object) => (await readContent(restores.world, object)).toString()),
    );
    expect(rows.join('')).toMatch(/mine-1[\s\S]*mine-2/);
    expect([...rows.join('').matchAll(/mine-\d/g)].map(String).sort()).toEqual(
      [1, 2, 3, 4, 5].map((n) => `mine-${n}`),
    );
    expect(await everything(manifest)).not.toMatch(/theirs|nobody-s/);
    for (const { context } of objectsOf(manifest))
      expect(context).toMatchObject({ 'mainstay:tenant': 'acme' });
    expect(shard.tenant?.leavesOut).toEqual([
      { object: expect.stringContaining('users_secret_fkey'), reason: expect.stringContaining('secrets') },
    ]);

    expect(await restores.complete(backup)).toMatchObject([
      { object: 'FK CONSTRAINT users users_secret_fkey in schema public' },
    ]);
    expect(await restores.differences(backup)).toEqual([]);
    const restored = await restores.query(backup.work.database, 'SELECT name FROM users ORDER BY 1');
    expect(restored).toEqual([{ name: 'mine-1' }, { name: 'mine-2' }]);
    expect(await restores.query(backup.work.database, 'SELECT * FROM secrets')).toEqual([]);

    // It stands for nothing else: no backup refers to it, and none expires because of it.
    const { catalog } = restores.world;
    const record = await catalog.get(manifest.backupId);
    expect(record && coverOf(record)).toEqual([]);
    const next = new BackupRun(restores.world, restores.database, backup.name);
    await next.begin({ type: 'incremental' });
    expect(Object.values((await next.record())?.parents ?? {})).not.toContain(manifest.backupId);
    await chooseParents(catalog, next.id);
    expect((await listRestorePoints(catalog)).map((point) => point.id)).not.toContain(manifest.backupId);
    const listed = await catalog.list(10, undefined, 'completed', 'acme');
    expect(listed.backups.map(({ id }) => id)).toEqual([manifest.backupId]);
  });

  it('is told apart by the very id only, whatever characters it has', async () => {
    const name = await restores.database.create(
      `CREATE TABLE t (tenant_id text, "say ""it""" text, mark int);
       CREATE COLLATION lax (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
       ALTER TABLE t ADD loose text COLLATE lax;`,
    );
    const client = await restores.database.asOwner(name);
    const { rows } = await client.query<{ oid: number }>("SELECT 't'::regclass::oid AS oid");
    const oid = rows[0]?.oid ?? 0;
    const table = { ...(await readCopiedTables(client, [oid])).get(oid), columns: ['mark'], condition: '' };
    const range = { oid, schema: 'public', name: 't', fromBlock: 0, toBlock: null };
    const copied = async (column: string, id: string, loose: boolean): Promise<string[]> => {
      const only = tenantCondition({ column, type: 'text', loose }, id);
      let text = '';
      for await (const piece of copyOut(client, copySql(range, table, only))) text += String(piece);
      return text.split('\n').filter((line) => line !== '');
    };
    const known = [
      "'",
      "' OR true --",
      "\\' OR ''='",
      '"',
      '%',
      '_',
      'a',
      'A',
      'ä',
      'a\u0308',
      ' a',
      'a ',
      '$1',
      "E'\\x'",
    ];
    const id = fc.oneof(
      fc.constantFrom(...known),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
      fc.string({
        unit: fc.constantFrom("'", '"', '\\', '%', '_', ';', '-', '$', '{', 'é', '😀'),
        minLength: 1,
      }),
    );
    const ids = fc.uniqueArray(
      id.filter((text) => tenantIdSchema.safeParse(text).success),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(ids, async (tenants) => {
        await client.query('TRUNCATE t');
        await client.query(
          `INSERT INTO t (tenant_id, "say ""it""", loose, mark)
           SELECT id, id, id, n FROM unnest($1::text[]) WITH ORDINALITY AS u (id, n)`,
          [tenants],
        );
        for (const [index, tenant] of tenants.entries()) {
          const own = [String(index + 1)];
          expect(await copied('tenant_id', tenant, false)).toEqual(own);
          expect(await copied('say "it"', tenant, false)).toEqual(own);
          expect(await copied('loose', tenant, true)).toEqual(own);
        }
        expect(await copied('tenant_id', `${tenants.join('')}!`, false)).toEqual([]);
      }),
      { numRuns: 20 },
    );
    await client.end();
  });

  it('fails rather than being of nobody, or of rows that cannot be told apart', async () => {
    const name = await restores.database.create(platform);
    const nobody = new BackupRun(restores.world, restores.database, name);
    await expect(nobody.complete({ ddl: false, tenant: byKey('acne') })).rejects.toThrow(UnknownTenantError);
    const client = await restores.database.asOwner(name);
    const typo = { ...byKey('acme'), shared: ['public.countries', 'app.cuontries'] };
    const { tables, tenant } = await describeShard(client, typo);
    const shards = [
      { name: shard, tables: tables.map((table) => ({ ...table, rows: 1, digest: '' })), tenant },
    ];
    expect(() => requireTenant(typo, shards)).toThrow(/app\.cuontries/);
    for (const [change, problem] of [
      ['ALTER TABLE countries ADD tenant_id text', /"public"."countries" is said to be shared/],
      ['ALTER TABLE countries ALTER tenant_id TYPE bigint USING NULL', /"tenant_id" of .* is of type int8/],
      [
        'ALTER TABLE countries ALTER tenant_id TYPE date USING NULL',
        /of type date: tenants are not told apart/,
      ],
      ['ALTER TABLE app.events RENAME whose TO whom', /"app"."late" has no column "whose"/],
    ] as const) {
      await client.query(change);
      await expect(describeShard(client, byKey('acme'))).rejects.toThrow(problem);
    }
    await client.end();
  });
});

describe('a restore of one tenant out of a backup of all', () => {
  it('loads its rows and what is shared, once, and finds whatever else is there', async () => {
    const backup = await restores.backUp(platform);
    const tenant = byKey('acme');
    if (tenant.by !== 'key') throw new Error('It is by schema');
    const [planned] = ofTenant([[backup.shard, { ...backup.work.plan }]], tenant);
    const plan = planned?.[1] ?? backup.work.plan;
    const work = { ...backup.work, plan };
    const { deps } = restores;
    await restores.prepare(work);
    const load = () =>
      loadObjects(deps, work.database, plan.tables, { item: 0, objects: backup.shard.chunks }, plan.tenant);
    expect((await load()).rows).toBe(107);
    expect((await load()).rows).toBe(107);
    const finished = await finishTarget(deps, work);
    expect(finished).toMatchObject({ leftOut: [{ object: expect.stringContaining('users_secret_fkey') }] });
    const differences = async () => {
      const items = await planComparison(deps, work.database, plan.tables, 64 * 1024);
      const compared: Compared[] = [];
      for (const item of items) {
        const tables = await compareRows(deps, work.database, plan.tables, item, plan.tenant);
        compared.push(comparedSchema.parse({ shard: 'shard-a', item: item.item, tables }));
      }
      return differencesOf(plan, compared).map(({ table, rows }) => [table, rows]);
    };
    expect(await differences()).toEqual([]);
    expect(await restores.query(work.database, 'SELECT name FROM users ORDER BY 1')).toEqual([
      { name: 'mine-1' },
      { name: 'mine-2' },
    ]);
    await restores.query(
      work.database,
      `INSERT INTO app.orders VALUES ('ACME', 'theirs'); INSERT INTO secrets VALUES (2, 'nobody-s');
       INSERT INTO countries VALUES ('xx')`,
    );
    expect(await differences()).toEqual([
      ['"app"."orders"', 2],
      ['"public"."countries"', 3],
      ['"public"."secrets"', 1],
    ]);
  });

  it('is of a schema’s tables, or of nobody', async () => {
    const backup = await restores.backUp(
      'CREATE SCHEMA tenant_a; CREATE TABLE tenant_a.t (); CREATE TABLE u ()',
      {
        ddl: false,
      },
    );
    const plans: Parameters<typeof ofTenant>[0] = [[backup.shard, backup.work.plan]];
    expect(ofTenant(plans, bySchema('a'))[0]?.[1]).toMatchObject({ partial: true, tables: [{ name: 't' }] });
    expect(() => ofTenant(plans, bySchema('b'))).toThrow(UnknownTenantError);
  });
});

describe('a backup of one tenant by schema', () => {
  const id = `a"b'%_é.*$`;
  const own = quoteIdentifier(`tenant_${id}`);

  it('holds its schema with the extensions that it needs, and not one byte of another', async () => {
    const backup = await restores.backUp(
      `CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION pg_trgm SCHEMA public;
       CREATE ROLE theirs_role; GRANT theirs_role TO CURRENT_USER;
       CREATE TABLE countries (code text PRIMARY KEY); INSERT INTO countries VALUES ('ch');
       CREATE SCHEMA ${own};
       CREATE TYPE ${own}.mood AS ENUM ('mine-1');
       CREATE TABLE ${own}.users (id serial PRIMARY KEY, mail ext.citext[], mood ${own}.mood, country text REFERENCES countries);
       INSERT INTO ${own}.users (mail, mood, country) VALUES ('{mine-2}', 'mine-1', 'ch');
       CREATE VIEW ${own}.all_countries AS SELECT * FROM countries;
       CREATE SCHEMA "tenant_aXb'%_é.*$" AUTHORIZATION theirs_role;
       CREATE TABLE "tenant_aXb'%_é.*$".theirs (secret text DEFAULT 'theirs'); INSERT INTO "tenant_aXb'%_é.*$".theirs DEFAULT VALUES;
       CREATE MATERIALIZED VIEW "tenant_aXb'%_é.*$".theirs_too AS SELECT 1 AS theirs;
       CREATE SEQUENCE "tenant_aXb'%_é.*$".theirs_sequence;`,
      { tenant: bySchema(id) },
    );
    const { manifest, shard } = backup;
    expect(manifest.tenant).toEqual({ id, by: 'schema' });
    expect(shard.tables.map(({ name, selection, rows }) => [name, selection, rows])).toEqual([
      ['users', 'all', 1],
    ]);
    expect(shard.extensions).toMatchObject([{ name: 'citext', schema: 'ext' }]);
    const stored = await everything(manifest);
    expect(stored).toMatch(/mine-1[\s\S]*mine-2/);
    expect(stored).not.toMatch(/theirs|aXb/);
    expect(shard.tenant?.leavesOut).toEqual([
      { object: expect.stringContaining('users_country_fkey'), reason: expect.stringContaining('countries') },
      { object: expect.stringContaining('all_countries'), reason: expect.stringContaining('countries') },
    ]);

    const leftOut = await restores.complete(backup);
    expect(leftOut.map(({ object }) => object).sort()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('FK CONSTRAINT users users_country_fkey'),
        expect.stringContaining('VIEW all_countries'),
      ]),
    );
    expect(await restores.differences(backup)).toEqual([]);
    const { database } = backup.work;
    expect(
      await restores.query(
        database,
        `SELECT mail[1] OPERATOR(ext.=) 'MINE-2'::ext.citext AS same, nextval('${own.replaceAll("'", "''")}.users_id_seq')::int AS next FROM ${own}.users`,
      ),
    ).toEqual([{ same: true, next: 2 }]);
  });

  it('is refused where its tables cannot be made without another schema, and where no database has it', async () => {
    const name = await restores.database.create(`
      CREATE TYPE mood AS ENUM ('good'); CREATE SCHEMA tenant_x; CREATE TABLE tenant_x.t (m mood[]);`);
    const client = await restores.database.asOwner(name);
    await expect(describeShard(client, bySchema('x'))).rejects.toThrow(
      /table tenant_x\.t needs type (public\.)?mood/,
    );
    await client.end();
    const nobody = new BackupRun(restores.world, restores.database, name);
    await expect(nobody.complete({ tenant: bySchema('nobody') })).rejects.toThrow(UnknownTenantError);
  });
});
