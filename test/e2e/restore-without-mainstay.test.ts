import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { awsConfig, bucketNamed } from './support/aws.ts';
import { Backups } from './support/backups.ts';
import { connectTo, onShard } from './support/databases.ts';
import { BackupByHand, macMessage, type Place, type Shard } from './support/restore-by-hand.ts';
import { missingTools, pageBlocks, provideEncryptionCli, runBlocks } from './support/restore-page.ts';

jest.setTimeout(240_000);

const shardName = 'shard-a';
const database = 'restored_by_hand';
const missing = await missingTools();
/** Where the page's tools are not installed, the test's name says which are missing, and it counts as skipped. */
const itWithTools = missing.length === 0 ? it : it.skip;
const without = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', ')})`;

describe('a backup without Mainstay', () => {
  let backups: Backups;
  let place: Place;
  let backup: BackupByHand;
  let shard: Shard;
  let owners: string[] = [];

  beforeAll(async () => {
    backups = await Backups.open();
    const { id } = await backups.take({ shards: [shardName] });
    place = {
      aws: awsConfig(backups.local),
      bucket: await bucketNamed(backups.local, 'backups'),
      macKey: await macKeyOf(backups),
    };
    backup = await BackupByHand.open(place, id);
    shard = backup.shard(shardName);
    owners = (await backup.owners(shard)).filter((owner) => owner !== master(backups));
    await inherit(backups, owners, true);
  });
  afterAll(async () => {
    for (const name of [database, 'restored']) {
      await onShard(backups.local, shardName, (client) =>
        client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
      );
    }
    await inherit(backups, owners, false);
    await backups.tidy();
  });

  it('is read by a program that has nothing of Mainstay', async () => {
    const program = await readFile(new URL('./support/restore-by-hand.ts', import.meta.url), 'utf8');
    const imports = [...program.matchAll(/\b(?:from|import) '([^']+)'|\bimport\(/g)].map(([, from]) => from);
    expect(imports.length).toBeGreaterThan(5);
    for (const from of imports) expect(from).toMatch(/^(node:|@aws-crypto\/|@aws-sdk\/|pg|zod)/);
  });

  it('becomes a database with every row of the original', async () => {
    const source = await connectTo(backups.local, shardName);
    await source.query(backup.createDatabase(shard, database));
    const target = await connectToDatabase(source, database);
    try {
      await backup.prepare(source);
      await backup.prepare(target);
      await backup.restore(shard, target, async () => {
        for (const table of shard.tables) {
          const { schema, name, rows, digest } = table;
          expect({ schema, name, ...(await backup.digestIn(target, table)) }).toEqual({
            schema,
            name,
            rows,
            digest,
          });
        }
      });
      expect(shard.tables.length).toBeGreaterThan(40);
      // Row security is back: it hides nothing from owners, and would be an error for anybody else.
      for (const client of [source, target]) await client.query('SET row_security = off');
      for (const table of shard.tables) {
        const copies = [await backup.digestIn(source, table), await backup.digestIn(target, table)];
        expect({ table: table.name, ...copies[0] }).toEqual({ table: table.name, ...copies[1] });
      }
      expect(await definitionsIn(target)).toEqual(await definitionsIn(source));
      expect(await sequencesIn(target)).toEqual(await sequencesIn(source));
    } finally {
      await target.end();
      await source.end();
    }
  });

  itWithTools(`is read by the commands of the page${without}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-page-'));
    try {
      const programs = join(directory, 'bin');
      await mkdir(programs);
      await provideEncryptionCli(programs);
      const block = await pageBlocks();
      const printed = await runBlocks(
        directory,
        [
          ...['manifest', 'mac', 'read'].map(block),
          // Two tables instead of all: each object costs the start of several programs.
          `jq '.tables |= map(select(.name | IN("täble ✓ ; drop", "no_columns")))
             | [.tables[].oid] as $oids | .chunks |= map(select(.rows.range.oid | IN($oids[])))' shard.json > few.json`,
          'mv few.json shard.json',
          ...['schema', 'list', 'database', 'pre-data', 'rows', 'compare', 'finish', 'versions'].map(block),
        ].join('\n'),
        { ...process.env, ...environmentOf(backups, place, backup), PATH: `${programs}:${process.env.PATH}` },
      );
      expect(printed).toContain('"MacValid": true');
      expect(printed).toContain('schema and sequences are here');
      expect(printed).toContain('tables are here');
      expect(printed).toContain('2 of 2 chunks are loaded');
      expect(printed).not.toContain('DIFFERENT');
      expect(printed).toContain('2 tables are compared');
      expect(printed).toMatch(/^restored$/m);
      const stored = await readFile(join(directory, 'manifest.json'), 'utf8');
      expect(await readFile(join(directory, 'message'), 'utf8')).toBe(macMessage(stored));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  itWithTools(`is refused by the commands of the page when an object is another${without}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-page-'));
    try {
      await provideEncryptionCli(directory);
      const block = await pageBlocks();
      const attempts = ['.', '.sha256 = "0" * 64', '.context["mainstay:kind"] = "post-data"'].map(
        (change, n) => `jq '.preData | ${change}' shard.json | fetch changed.sql && echo 'accepted ${n}'`,
      );
      const printed = await runBlocks(
        directory,
        [block('manifest'), block('read'), ...attempts, 'true'].join('\n'),
        {
          ...process.env,
          ...environmentOf(backups, place, backup),
          PATH: `${directory}:${process.env.PATH}`,
        },
      );
      expect(printed.match(/accepted \d/g)).toEqual(['accepted 0']);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** The key that authenticates manifests, as somebody with a list of the account's keys finds it. */
async function macKeyOf({ local }: Backups): Promise<string> {
  const kms = new KMSClient(awsConfig(local));
  const { Keys = [] } = await kms.send(new ListKeysCommand({}));
  for (const { KeyId = '' } of Keys) {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    if (KeyMetadata?.KeyUsage === 'GENERATE_VERIFY_MAC') return KeyMetadata.Arn ?? '';
  }
  throw new Error('There is no key for MACs.');
}

function writerOf({ local }: Backups): URL {
  const url = local.shards.find(({ name }) => name === shardName)?.writer.url;
  if (url === undefined) throw new Error(`There is no ${shardName}.`);
  return new URL(url);
}

const master = (backups: Backups): string => writerOf(backups).username;

/** Makes the master user one of the owners, or no more than it was: it may become each of them, and inherits nothing. */
async function inherit({ local }: Backups, roles: readonly string[], yes: boolean): Promise<void> {
  await onShard(local, shardName, async (client) => {
    for (const role of roles) {
      await client.query(`GRANT ${role} TO CURRENT_USER WITH INHERIT ${yes ? 'TRUE' : 'FALSE'}, SET TRUE`);
    }
  });
}

/** Connects to another database as somebody who is connected already. */
async function connectToDatabase(client: pg.Client, name: string): Promise<pg.Client> {
  const { host, port, user, password, ssl } = client;
  const other = new pg.Client({ host, port, user, password, ssl, database: name });
  other.on('error', () => {});
  await other.connect();
  return other;
}

/** What the blocks of the page are to find in their environment; the page's first block shows where it comes from. */
function environmentOf(backups: Backups, { aws, bucket, macKey }: Place, { manifest }: BackupByHand) {
  const writer = writerOf(backups);
  return {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_DEFAULT_REGION: aws.region,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
    BUCKET: bucket,
    ID: manifest.backupId,
    MAC_KEY: macKey,
    PGHOST: writer.hostname,
    PGPORT: writer.port,
    PGUSER: writer.username,
    PGPASSWORD: writer.password,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: writer.searchParams.get('sslrootcert') ?? '',
  };
}

/** Everything but rows that makes a database what it is, one line each. */
async function definitionsIn(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    WITH mine AS (
      SELECT c.oid::regclass::text AS name, c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
    SELECT concat_ws(' ', relkind, name, pg_get_userbyid(relowner), relacl, relrowsecurity, relforcerowsecurity) AS line
    FROM mine UNION ALL
    SELECT concat_ws(' ', 'column', name, attnum - (SELECT count(*) FROM pg_attribute d
             WHERE d.attrelid = a.attrelid AND d.attisdropped AND d.attnum < a.attnum), attname,
             format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
    FROM mine JOIN pg_attribute a ON attrelid = mine.oid AND attnum > 0 AND NOT attisdropped
      LEFT JOIN pg_attrdef ON adrelid = mine.oid AND adnum = attnum UNION ALL
    SELECT concat_ws(' ', 'constraint', name, conname, pg_get_constraintdef(c.oid)) FROM mine JOIN pg_constraint c ON conrelid = mine.oid UNION ALL
    SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid)) FROM mine JOIN pg_index ON indrelid = mine.oid UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid)) FROM mine JOIN pg_trigger t ON tgrelid = mine.oid AND NOT tgisinternal UNION ALL
    SELECT concat_ws(' ', 'policy', name, polname, pg_get_expr(polqual, polrelid)) FROM mine JOIN pg_policy ON polrelid = mine.oid UNION ALL
    SELECT concat_ws(' ', 'view', name, pg_get_viewdef(oid)) FROM mine WHERE relkind IN ('v', 'm') UNION ALL
    SELECT concat_ws(' ', 'function', p.oid::regprocedure, pg_get_userbyid(proowner), proacl, md5(prosrc))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY 1`);
  return rows.map(({ line }) => line);
}

async function sequencesIn(client: pg.Client): Promise<unknown[]> {
  const { rows } = await client.query(
    'SELECT schemaname, sequencename, last_value, increment_by, cache_size FROM pg_sequences ORDER BY 1, 2',
  );
  return rows;
}
