import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import { PgDumpError } from '../errors.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { schemaKey } from '../objects/object-keys.ts';
import { type StorePlace, storeObject } from '../objects/store-object.ts';
import { awaitSnapshot, type OpenDependencies, openSnapshot } from '../snapshot/open.ts';
import { prepareSession } from '../snapshot/session.ts';
import type { StoredObject } from '../workflow.ts';
import { pgDump } from './pg-dump.ts';
import { readSequences } from './sequences.ts';

export interface SchemaDependencies extends OpenDependencies {
  readonly chunks: ChunkCatalog;
  readonly place: StorePlace;
  readonly backupId: BackupId;
  readonly shard: ShardName;
  /** Names this attempt in the keys of its objects. */
  readonly attempt: string;
}

/** Taking the snapshot may wait for sessions that have tables locked. */
const snapshotWaitMs = 240_000;
const dumpMs = 300_000;
const lockWaitMs = 60_000;
/** How often pg_dump is begun anew because the snapshot was just being handed over. */
const maxHandovers = 3;

/** Stores the DDL of the shard as of its snapshot, before and after the rows. */
export async function dumpDdl(deps: SchemaDependencies): Promise<StoredObject[]> {
  const { chunks, shard } = deps;
  await awaitSnapshot(deps, snapshotWaitMs);
  await chunks.setShard(shard, { stage: 'schema' });
  const objects: StoredObject[] = [];
  for (const section of ['pre-data', 'post-data'] as const) {
    const sql = await dumpSection(deps, section);
    objects.push(await store(deps, section, sql));
  }
  return objects;
}

/** Stores the values of the sequences, after the rows. */
export async function dumpSequences(deps: SchemaDependencies): Promise<StoredObject[]> {
  const { chunks, shard } = deps;
  await chunks.setShard(shard, { stage: 'sequences' });
  const { client, held } = await openSnapshot(deps, snapshotWaitMs);
  try {
    const live = await deps.connect(held);
    try {
      await prepareSession(live);
      const values = await readSequences(client, live);
      return [await store(deps, 'sequences', JSON.stringify(values))];
    } finally {
      await live.end().catch(() => undefined);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function dumpSection(deps: SchemaDependencies, section: 'pre-data' | 'post-data'): Promise<string> {
  for (let handovers = 0; ; handovers++) {
    const held = await awaitSnapshot(deps, snapshotWaitMs);
    const client = await deps.connect(held);
    try {
      const args = [
        `--section=${section}`,
        `--snapshot=${held.snapshotId}`,
        `--lock-wait-timeout=${lockWaitMs}`,
      ];
      return await pgDump(client, args, dumpMs);
    } catch (error) {
      const gone =
        error instanceof PgDumpError &&
        /snapshot .* does not exist|SET TRANSACTION SNAPSHOT/.test(error.message);
      if (!gone || handovers === maxHandovers) throw error;
      await deps.clock.sleep(1_000);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function store(
  { place, chunks, backupId, shard, attempt }: SchemaDependencies,
  kind: 'pre-data' | 'post-data' | 'sequences',
  text: string,
): Promise<StoredObject> {
  const { object } = await storeObject(place, {
    kind,
    key: schemaKey(backupId, shard, kind, attempt, place.compression.format),
    context: { 'mainstay:backup': backupId, 'mainstay:shard': shard, 'mainstay:kind': kind },
    source: pieces(text),
  });
  await chunks.setSchemaObject(shard, kind, object);
  return object;
}

async function* pieces(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text, 'utf8');
}
