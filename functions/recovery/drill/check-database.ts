import type { Client } from 'pg';
import type * as z from 'zod';
import type { RestoreNotes } from '../catalog/restore-notes.ts';
import type { Clock } from '../clock.ts';
import { DrillNotRunningError } from '../errors.ts';
import { prepareSession } from '../snapshot/session.ts';
import { assertionsCheck } from './checks/assertions.ts';
import { foreignKeys } from './checks/foreign-keys.ts';
import { indexes } from './checks/indexes.ts';
import { runChecks } from './checks/run-checks.ts';
import { sequences } from './checks/sequences.ts';
import type { DrillCatalog } from './drill-catalog.ts';
import type { checkDrillEventSchema } from './events.ts';
import type { DrillId } from './ids.ts';

export interface DatabaseLogin {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

export interface CheckDatabaseDependencies {
  readonly drills: DrillCatalog;
  /** Of the drill's restore: it knows where the scratch databases are. */
  readonly notes: RestoreNotes;
  readonly clock: Clock;
  readonly logIn: (login: DatabaseLogin, user: 'restore' | 'backup') => Promise<Client>;
  /** Milliseconds since the epoch: when this invocation begins nothing more. */
  readonly deadline: number;
}

/**
 * Runs all checks of one shard's scratch database, and notes what they find.
 *
 * @returns `again` when time ran out: the next call goes on where this one was.
 * @throws DrillNotRunningError, NotReadyError, DependencyError
 */
export async function checkDatabase(
  deps: CheckDatabaseDependencies,
  drillId: DrillId,
  work: Omit<z.output<typeof checkDrillEventSchema>, 'drillId'>,
): Promise<'done' | 'again'> {
  const { drills, notes, clock, deadline } = deps;
  const record = await drills.get(drillId);
  if (record?.cancelRequested !== false || !(await drills.setStage(drillId, 'checks'))) {
    throw new DrillNotRunningError(`Drill ${drillId} is not running any more.`);
  }
  const login = (await notes.shards()).find(({ shard }) => shard === work.shard);
  if (login === undefined) throw new DrillNotRunningError(`Nothing of ${work.shard} was restored.`);
  const { statementTimeoutSeconds: timeoutSeconds, shard, accepted } = work;
  const assertions = work.assertions.filter((assertion) => (assertion.shard ?? shard) === shard);
  const asReader = async (): Promise<Client> => prepared(await deps.logIn(login, 'backup'));
  const client = await prepared(await deps.logIn(login, 'restore'));
  try {
    await client.query(`SET statement_timeout = ${timeoutSeconds * 1000}`);
    await client.query('SET default_transaction_read_only = on');
    return await runChecks(
      { client, clock, deadline, save: (note) => drills.putCheck(drillId, note) },
      {
        ...{ shard, accepted, timeoutSeconds, notes: await drills.checks(drillId) },
        checks: [foreignKeys, indexes, sequences, assertionsCheck(assertions, asReader, timeoutSeconds)],
      },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Values are written, and names are read, as in backups. */
async function prepared(client: Client): Promise<Client> {
  try {
    await prepareSession(client);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
