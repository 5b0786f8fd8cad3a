import type { Client } from 'pg';
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams';
import { CopyError, DamagedObjectError, IncompleteBackupError, NotReadyError } from '../../errors.ts';
import { readVerified, type VerifyPlace } from '../../objects/verify-object.ts';
import { rollback } from '../../snapshot/session.ts';
import { qualifiedName, quoteIdentifier, sqlState } from '../../snapshot/sql.ts';
import type { TenantByKey } from '../../tenants/model.ts';
import type { StoredObject } from '../../workflow.ts';
import type { ShardPlan } from '../events.ts';
import { workSchema } from './steps.ts';
import { openTarget, type TargetServer } from './target-session.ts';
import { noteKept, readKept, type WantedRows, wantedRows, whereOf } from './wanted-rows.ts';

export interface LoadDependencies extends TargetServer {
  readonly place: VerifyPlace;
}

export interface LoadWork {
  readonly item: number;
  readonly objects: readonly StoredObject[];
}

export interface Loaded {
  readonly item: number;
  /** Rows that are in the database now, whichever attempt loaded them. */
  readonly rows: number;
  /** Bytes of COPY text. */
  readonly bytes: number;
}

/** How long an attempt waits for another one that loads the same object. */
const lockWaitMs = 120_000;
const lockNotAvailable = '55P03';
const undefinedTable = '42P01';

/**
 * Loads the rows of stored objects, each in one transaction with a mark that they are loaded: whoever comes second, also at
 * the same time, waits for the first and loads nothing. Of an object that is not exactly what was stored no row stays.
 *
 * @param tables of the plan, by which columns are known.
 * @param tenant the one whose rows are loaded; default: all rows.
 * @throws DamagedObjectError, IncompleteBackupError, CopyError, NotReadyError, DependencyError
 */
export async function loadObjects(
  deps: LoadDependencies,
  database: string,
  tables: ShardPlan['tables'],
  { item, objects }: LoadWork,
  tenant?: TenantByKey,
): Promise<Loaded> {
  let [rows, bytes] = [0, 0];
  if (objects.length === 0) return { item, rows, bytes };
  const client = await openTarget(deps, database);
  try {
    await client.query(`SET lock_timeout = ${lockWaitMs}`);
    const wantedOf = await wantedRows(client, tenant);
    for (const object of objects) {
      const wanted = wantedOf(object);
      if (wanted === 'none') continue;
      rows += await loadObject(deps.place, client, tables, object, wanted);
      bytes += object.plainBytes;
    }
    return { item, rows, bytes };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @returns the rows of the object that are in the database now. */
async function loadObject(
  place: VerifyPlace,
  client: Client,
  tables: ShardPlan['tables'],
  object: StoredObject,
  wanted: WantedRows,
): Promise<number> {
  const table = tables.find(({ oid }) => oid === object.rows?.range.oid);
  if (object.rows === undefined || table === undefined) {
    throw new IncompleteBackupError(`${object.key} holds rows of no table that is restored.`);
  }
  try {
    await client.query('BEGIN');
    if (!(await mark(client, object))) {
      await client.query('ROLLBACK');
      return wanted === 'all' ? object.rows.count : await readKept(client, object);
    }
    const kept = await copyIn(place, client, table, object, wanted);
    if (wanted !== 'all') await noteKept(client, object, kept);
    await client.query('COMMIT');
    return kept;
  } catch (error) {
    await rollback(client);
    throw toLoadError(error, table, object);
  }
}

/** @returns false when the object is loaded already. An attempt that is loading it is waited for. */
async function mark(client: Client, { key, versionId }: StoredObject): Promise<boolean> {
  const { rowCount } = await client.query(
    `INSERT INTO ${workSchema}.steps (step) VALUES ($1) ON CONFLICT DO NOTHING`,
    [`rows/${key}/${versionId ?? ''}`],
  );
  return rowCount === 1;
}

/** @throws DamagedObjectError with nothing committed, when all has been read and something is not as it was stored. */
async function copyIn(
  place: VerifyPlace,
  client: Client,
  table: ShardPlan['tables'][number],
  object: StoredObject,
  wanted: WantedRows,
): Promise<number> {
  const columns = table.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const list = columns === '' ? '' : ` (${columns})`;
  const copy = client.query(copyFrom(`COPY ${qualifiedName(table)}${list} FROM STDIN${whereOf(wanted)}`));
  const failed = new Promise<never>((_, reject) => copy.once('error', reject));
  failed.catch(() => undefined);
  try {
    const { problem } = await readVerified(place, object, (piece) =>
      Promise.race([written(copy, piece), failed]),
    );
    if (problem !== undefined) {
      throw new DamagedObjectError(
        `${object.key}, rows of ${qualifiedName(table)}, is damaged (${problem.problem}): ${problem.detail}`,
      );
    }
    await Promise.race([new Promise<void>((resolve) => copy.end(resolve)), failed]);
  } catch (error) {
    await abandon(client, copy);
    throw error;
  }
  // Which rows are passed over, only the server knows; that the object is what was stored, its digest says.
  if (wanted === 'all' && copy.rowCount !== object.rows?.count) {
    throw new IncompleteBackupError(
      `${object.key} gave ${copy.rowCount} rows of ${qualifiedName(table)}; ${object.rows?.count} were copied.`,
    );
  }
  return copy.rowCount;
}

/** Resolves when PostgreSQL can take more. */
const written = (copy: CopyStreamQuery, piece: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    copy.write(piece, (error) => (error ? reject(error) : resolve()));
  });

/** Ends a COPY without its rows; the connection can be used again when the server has said that it has. */
async function abandon(client: Client, copy: CopyStreamQuery): Promise<void> {
  if (copy.errored !== null || copy.destroyed) return;
  const closed = new Promise<void>((resolve) => copy.once('close', () => resolve()));
  const broken = new Promise<void>((resolve) => client.connection.stream.once('close', () => resolve()));
  copy.on('error', () => undefined);
  copy.destroy(new Error('Mainstay does not load these rows'));
  await Promise.race([closed, broken]);
}

function toLoadError(error: unknown, table: ShardPlan['tables'][number], object: StoredObject): unknown {
  const state = sqlState(error);
  const said = error instanceof Error ? error.message : String(error);
  const name = qualifiedName(table);
  if (state === lockNotAvailable) {
    return new NotReadyError(`Another attempt still loads ${object.key} into ${name}.`, { cause: error });
  }
  if (state === undefinedTable && said.includes(`${workSchema}.steps`)) {
    return new IncompleteBackupError(
      'The database is not, or no longer, one that is being restored: nothing is loaded.',
      {
        cause: error,
      },
    );
  }
  return state === undefined
    ? error
    : new CopyError(`${object.key} could not be loaded into ${name}: ${said}`, { cause: error });
}
