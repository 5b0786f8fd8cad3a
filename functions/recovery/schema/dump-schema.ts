import type { Assistance, AssistanceRequests } from '../catalog/assistance.ts';
import { NotReadyError, PgDumpError } from '../errors.ts';
import { awaitSnapshot, type OpenDependencies, openSnapshot } from '../snapshot/open.ts';
import { prepareSession } from '../snapshot/session.ts';
import { schemaOf } from '../tenants/model.ts';
import type { StoredObject } from '../workflow.ts';
import { dumpSql, type Section } from './dump-sql.ts';
import { readSequences } from './sequences.ts';
import { type StoreSchemaDependencies, storeSchema } from './store-schema.ts';

export interface SchemaDependencies extends OpenDependencies, StoreSchemaDependencies {
  readonly requests: AssistanceRequests;
}

/** Taking the snapshot may wait for sessions that have tables locked. */
const snapshotWaitMs = 240_000;
const dumpMs = 300_000;
/** How long pg_dump waits for its locks before the snapshot's holder is asked to do it. */
const lockWaitMs = 2_000;
const holderMs = 300_000;
const pollMs = 500;
/** How often pg_dump is begun anew because the snapshot was just being handed over. */
const maxHandovers = 3;

/** Stores the DDL of the shard as of its snapshot, before and after the rows. What an earlier attempt stored stays. */
export async function dumpDdl(deps: SchemaDependencies): Promise<StoredObject[]> {
  await awaitSnapshot(deps, snapshotWaitMs);
  await deps.chunks.setShard(deps.shard, { stage: 'schema' });
  const objects: StoredObject[] = [];
  for (const section of ['pre-data', 'post-data'] as const) {
    objects.push((await storedSection(deps, section)) ?? (await dumpSection(deps, section)));
  }
  return objects;
}

/** Stores the values of the sequences, after the rows. */
export async function dumpSequences(deps: SchemaDependencies): Promise<StoredObject[]> {
  await deps.chunks.setShard(deps.shard, { stage: 'sequences' });
  const { client, held } = await openSnapshot(deps, snapshotWaitMs);
  try {
    const live = await deps.connect(held);
    try {
      await prepareSession(live);
      const values = await readSequences(client, live, schemaOf(deps.tenant));
      return [await storeSchema(deps, 'sequences', JSON.stringify(values))];
    } finally {
      await live.end().catch(() => undefined);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function storedSection(
  { chunks, shard }: SchemaDependencies,
  section: Section,
): Promise<StoredObject | undefined> {
  const records = await chunks.shards();
  return records.find((record) => record.shard === shard)?.[section];
}

async function dumpSection(deps: SchemaDependencies, section: Section): Promise<StoredObject> {
  for (let handovers = 0; ; handovers++) {
    const held = await awaitSnapshot(deps, snapshotWaitMs);
    const client = await deps.connect(held);
    try {
      const args = [`--snapshot=${held.snapshotId}`, `--lock-wait-timeout=${lockWaitMs}`];
      const sql = await dumpSql(client, section, deps.tenant, { args, timeoutMs: dumpMs });
      return await storeSchema(deps, section, sql);
    } catch (error) {
      if (isKeptOut(error)) return viaHolder(deps, section, error);
      if (!isHandedOver(error) || handovers === maxHandovers) throw error;
      await deps.clock.sleep(pollMs);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** A session waits for an exclusive lock, and pg_dump's locks would wait behind it. */
const isKeptOut = (error: unknown): error is PgDumpError =>
  error instanceof PgDumpError && /statement timeout|lock timeout/.test(error.message);

const isHandedOver = (error: unknown): boolean =>
  error instanceof PgDumpError && error.message.includes('SET TRANSACTION SNAPSHOT');

async function viaHolder(
  deps: SchemaDependencies,
  section: Section,
  cause: PgDumpError,
): Promise<StoredObject> {
  const { requests, clock } = deps;
  const assistance: Assistance = { kind: 'ddl', section };
  const until = clock.now() + holderMs;
  await requests.ask(assistance);
  try {
    for (;;) {
      const stored = await storedSection(deps, section);
      if (stored !== undefined) return stored;
      await awaitSnapshot(deps, 0);
      if (clock.now() >= until) {
        throw new NotReadyError(`A session waits for an exclusive lock: ${cause.message}`, { cause });
      }
      await clock.sleep(pollMs);
    }
  } finally {
    await requests.done(assistance);
  }
}
