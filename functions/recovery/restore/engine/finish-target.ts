import type { Client } from 'pg';
import { IncompleteBackupError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import type { SequenceValues } from '../../schema/sequences.ts';
import { qualifiedName, quoteIdentifier, sqlState } from '../../snapshot/sql.ts';
import { DdlSession } from './apply-ddl.ts';
import { findDatabase, markSql } from './marker.ts';
import { findMaster } from './master.ts';
import {
  alone,
  ddlOptions,
  type EngineDependencies,
  type EngineResult,
  isPrivilege,
  type TargetWork,
} from './prepare-target.ts';
import { readDump, readSequenceValues } from './read-text.ts';
import { finishedSteps, hasSteps, readLeftOut, runStep, workSchema } from './steps.ts';
import { type TargetServer, withTarget } from './target-session.ts';

type Progress = 'done' | 'again';

/** Materialised views are computed when everything that they read is there, and may be read by their owners. */
const isRefresh = ({ type }: { type: string }): boolean => type === 'MATERIALIZED VIEW DATA';

/**
 * Everything after the rows: values of sequences, indexes, constraints, triggers, privileges, materialised views, ANALYZE,
 * and the hand-over of what belongs to the master user. Each step is done once, however often this is called.
 *
 * A statement may take longer than an invocation: it goes on in the server after the deadline, and the next call waits
 * for it, then finds it done (its mark is in the same transaction) or does it again.
 *
 * @throws RestoreDdlError, NotReadyError, DamagedObjectError, IncompleteBackupError, DependencyError
 */
export async function finishTarget(deps: EngineDependencies, work: TargetWork): Promise<EngineResult> {
  const { plan, database, restoreId } = work;
  const before = await readDump(deps.place, plan.preData);
  const after = await readDump(deps.place, plan.postData);
  const sequences = await readSequenceValues(deps.place, plan.sequences);
  return alone(deps, database, restoreId, async (client) => {
    if (!(await hasSteps(client))) return afterCompletion(client, database);
    await setSequences(client, sequences);
    const ddl = await DdlSession.begin(client, { ...deps, ...ddlOptions(plan) });
    const phases: (() => Promise<Progress>)[] = [
      () => ddl.apply('post-data', after, (entry) => !isPrivilege(entry) && !isRefresh(entry)),
      () => ddl.apply('pre-data', before, isPrivilege),
      () => ddl.apply('post-data', after, isPrivilege),
      () => ddl.apply('post-data', after, isRefresh),
      () => analyze(client, deps),
      () => handOver(client, deps),
    ];
    for (const phase of phases) if ((await phase()) === 'again') return { outcome: 'again' };
    return { outcome: 'done', leftOut: await readLeftOut(client) };
  });
}

async function afterCompletion(client: Client, database: string): Promise<EngineResult> {
  const found = await findDatabase(client, database);
  if (found?.marker?.state === 'restored') return { outcome: 'done', leftOut: [] };
  throw new IncompleteBackupError(`The database "${database}" has not been prepared.`);
}

const undefinedTable = '42P01';

/** Sets each sequence to exactly the stored value. A sequence that was left out has none; one dropped meanwhile neither. */
async function setSequences(client: Client, { sequences }: SequenceValues): Promise<void> {
  for (const sequence of sequences) {
    if (sequence.lastValue === null) continue;
    try {
      await client.query('SELECT pg_catalog.setval($1::regclass, $2::bigint, $3::boolean)', [
        qualifiedName(sequence),
        sequence.lastValue,
        sequence.isCalled,
      ]);
    } catch (error) {
      if (sqlState(error) !== undefinedTable) throw error;
    }
  }
}

/** Tables that one statement collects statistics of. */
const perStatement = 20;

async function analyze(client: Client, deps: EngineDependencies): Promise<Progress> {
  const { rows } = await client.query<{ schema: string; name: string; parted: boolean }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS parted
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE (c.relkind IN ('r', 'm') OR c.relkind = 'p' AND current_setting('server_version_num')::int >= 180000)
        AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '${workSchema}')
        AND c.relpersistence <> 't' ORDER BY 1, 2`,
  );
  const done = await finishedSteps(client);
  for (let at = 0; at < rows.length; at += perStatement) {
    const step = `analyze/${at}`;
    if (done.has(step)) continue;
    if (deps.clock.now() >= deps.deadline) return 'again';
    const tables = rows
      .slice(at, at + perStatement)
      .map((table) => `${table.parted ? 'ONLY ' : ''}${qualifiedName(table)}`);
    if ((await runStep(client, { step, sql: `ANALYZE ${tables.join(', ')};` }, deps)) === 'again')
      return 'again';
  }
  return 'done';
}

/** Last, because the role of restores is not a member of the master user. What could not be given is left out. */
async function handOver(client: Client, deps: EngineDependencies): Promise<Progress> {
  if ((await findMaster(client)) === undefined) return 'done';
  const step = 'hand-over';
  if ((await finishedSteps(client)).has(step)) return 'done';
  const sql = `INSERT INTO ${workSchema}.steps (step, left_out)
    SELECT '${step}/' || number, item
      FROM pg_catalog.jsonb_array_elements(${workSchema}.hand_over()) WITH ORDINALITY AS missing (item, number);`;
  return runStep(client, { step, sql }, deps);
}

/**
 * Removes everything from the database that the restore has put there for itself, and marks it as complete. From then on
 * it differs from the original in its name and its owner only. To be called when what `finishTarget` returned is kept
 * elsewhere: afterwards it is not told again. Doing it again changes nothing.
 *
 * @throws IncompleteBackupError when the database is not one of this restore's.
 */
export async function completeTarget(
  server: TargetServer,
  database: string,
  restoreId: RestoreId,
): Promise<void> {
  await withTarget(server, database, async (client) => {
    const found = await findDatabase(client, database);
    if (found?.marker?.restoreId !== restoreId) {
      throw new IncompleteBackupError(
        `The database "${database}" is not one that restore ${restoreId} made.`,
      );
    }
    if (found.marker.state !== 'restoring') return;
    // One transaction; its commit waits for the disk, and with it all that was committed before.
    await client.query('SET synchronous_commit = on');
    await client.query(
      `SET client_min_messages = warning;
       DROP SCHEMA IF EXISTS ${quoteIdentifier(workSchema)} CASCADE;
       ${markSql(database, restoreId, 'restored')}`,
    );
  });
}
