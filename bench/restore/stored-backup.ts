import type { Client } from 'pg';
import { copyChunk } from '../../functions/recovery/chunks/copy-chunk.ts';
import { describeShard } from '../../functions/recovery/chunks/describe-shard.ts';
import { systemClock } from '../../functions/recovery/clock.ts';
import { combineDigests } from '../../functions/recovery/digest.ts';
import { backupIdSchema, shardNameSchema } from '../../functions/recovery/ids.ts';
import { Bucket } from '../../functions/recovery/objects/bucket.ts';
import { schemaKey } from '../../functions/recovery/objects/object-keys.ts';
import { type StorePlace, storeObject } from '../../functions/recovery/objects/store-object.ts';
import { verifyObject } from '../../functions/recovery/objects/verify-object.ts';
import type { ShardPlan } from '../../functions/recovery/restore/events.ts';
import { pgDump } from '../../functions/recovery/schema/pg-dump.ts';
import { beginReading, prepareSession, rollback } from '../../functions/recovery/snapshot/session.ts';
import { kmsKeyring } from '../../functions/recovery/stages/encrypt.ts';
import type { StoredObject } from '../../functions/recovery/workflow.ts';
import { openConnection } from '../backup/connection.ts';
import type { DataSet } from '../backup/data-sets.ts';
import type { BenchDatabase } from '../backup/database.ts';
import { kmsClient, type StoreFacts, s3Client } from '../backup/store.ts';
import { compression, origin } from '../backup/store-items.ts';

const backupId = backupIdSchema.parse('bench');
const shard = shardNameSchema.parse('bench');

/** What a restore of one data set begins with. */
export interface StoredBackup {
  plan: ShardPlan;
  /** Objects of rows, each with the digest of its rows. */
  objects: readonly StoredObject[];
  preData: string;
  postData: string;
  /** COPY text. */
  textBytes: number;
  storedBytes: number;
}

/** Stores a data set as backups do: rows by the pipeline and read back once, DDL by pg_dump. */
export async function storeBackup(
  database: BenchDatabase,
  store: StoreFacts,
  dataSet: DataSet,
): Promise<StoredBackup> {
  const [s3, kms] = [s3Client(store), kmsClient(store)];
  const place = { s3, bucket: store.bucket, keyring: kmsKeyring(kms, store.keyArn), compression };
  const verifyPlace = { bucket: new Bucket(s3, store.bucket), kms, keyArn: store.keyArn };
  const items = await database.plan(dataSet);
  const withClient = async <T>(work: (client: Client) => Promise<T>) => {
    const client = await openConnection(database.socket);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  try {
    const objects: StoredObject[] = [];
    await withClient(async (client) => {
      await prepareSession(client);
      await beginReading(client);
      for (const work of items) {
        const deps = { place, clock: systemClock, attempt: 'bench' };
        objects.push(...(await copyChunk(deps, client, { backupId, shard, origin, work })).objects);
      }
      await rollback(client);
    });
    const digested: StoredObject[] = [];
    for (const object of objects) {
      const { digest, problem } = await verifyObject(verifyPlace, object, 'full');
      if (digest === undefined || object.rows === undefined) throw new Error(problem?.detail ?? object.key);
      digested.push({ ...object, rows: { ...object.rows, digest } });
    }
    const dump = (section: string) =>
      withClient((client) =>
        pgDump(client, { args: [`--section=${section}`, `--schema=${dataSet.schema}`], timeoutMs: 60_000 }),
      );
    const preData = await dump('pre-data');
    const postData = await dump('post-data');
    const { server, extensions, roles, tables } = await withClient(describeShard);
    const plan: ShardPlan = {
      preData: await storeText(place, 'pre-data', preData),
      postData: await storeText(place, 'post-data', postData),
      sequences: await storeText(place, 'sequences', JSON.stringify({ formatVersion: 1, sequences: [] })),
      tables: tables
        .filter(({ schema }) => schema === dataSet.schema)
        .map((table) => ({ ...table, ...totalsOf(table.oid, digested) })),
      partial: false,
      ...{ server, extensions, roles },
    };
    const sum = (of: (object: StoredObject) => number) => digested.reduce((total, one) => total + of(one), 0);
    return {
      plan,
      objects: digested,
      preData,
      postData,
      textBytes: sum(({ plainBytes }) => plainBytes),
      storedBytes: sum(({ storedBytes }) => storedBytes),
    };
  } finally {
    s3.destroy();
    kms.destroy();
  }
}

/** Rows and digest of a table, as the manifest has them. */
function totalsOf(oid: number, objects: readonly StoredObject[]): { rows: number; digest: string } {
  const own = objects.flatMap(({ rows }) => (rows?.range.oid === oid ? [rows] : []));
  return {
    rows: own.reduce((sum, { count }) => sum + count, 0),
    digest: combineDigests(own.flatMap(({ digest }) => digest ?? [])),
  };
}

async function storeText(
  place: StorePlace,
  kind: 'pre-data' | 'post-data' | 'sequences',
  text: string,
): Promise<StoredObject> {
  const { object } = await storeObject(place, {
    kind,
    key: schemaKey(backupId, shard, kind, 'bench', compression.format),
    context: { 'mainstay:backup': backupId, 'mainstay:shard': shard, 'mainstay:kind': kind },
    source: piecesOf(text),
  });
  return object;
}

async function* piecesOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text, 'utf8');
}
