import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { SwitchoverRefusedError } from '../errors.ts';
import { type Address, bytesBetween, lsnSchema } from '../model.ts';
import type { Ask, Client } from '../probing/ask.ts';
import { identify } from '../probing/identify.ts';
import type { Operation } from '../record.ts';
import type { FenceResult } from './events.ts';

/** How long fencing is tried, in milliseconds: of a writer that was reached, and of one that was not. */
const reachedMs = 2_000;
const silentMs = 600;
/** How long a switchover waits until nothing is missing, in milliseconds; writes wait as long. */
const zeroLagMs = 20_000;
const pauseMs = 50;

const countSchema = z.object({ ended: z.coerce.number().int().min(0) });
/** Replication goes on: what the old writer still has is to arrive. */
const endSql = `SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid)) AS ended
  FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
 WHERE a.pid <> pg_backend_pid() AND NOT r.rolsuper AND NOT r.rolreplication AND r.rolname !~ '^(rds|pg_)'`;
const lsnRowSchema = z.object({ lsn: lsnSchema.nullable() });

export interface FenceDependencies {
  /** Asks as the role of failover, in bounded time. */
  readonly ask: (timeoutMs: number) => Ask;
  readonly now: () => number;
  readonly log: { warn(message: string, about: Record<string, unknown>): void };
}

/**
 * Keeps the old writer from taking writes, as far as it can be reached. Before a switchover it also waits until the new one has
 * all that was written; of a failover it is the best that can be done in little time.
 *
 * @throws SwitchoverRefusedError: the writer takes writes again.
 */
export async function fence(deps: FenceDependencies, operation: Operation): Promise<FenceResult> {
  const { action, kind, from, database, writerReachable } = operation;
  if (kind === 'switchover') {
    return action === 'replica' ? fenceAndWait(deps, operation) : { fenced: 'engine', ended: 0 };
  }
  // The engine fences as well, and knows better how.
  if (action !== 'replica' && !writerReachable) return { fenced: 'engine', ended: 0 };
  const timeoutMs = writerReachable ? reachedMs : silentMs;
  return fenceAddress(deps, from, database, { timeoutMs, readOnly: action === 'replica' });
}

/** Fences whatever answers at an address; an address that nothing answers at has nothing to be fenced. */
export async function fenceAddress(
  { ask, log }: FenceDependencies,
  { host, port }: Address,
  database: string,
  { timeoutMs, readOnly }: { readonly timeoutMs: number; readonly readOnly: boolean },
): Promise<FenceResult> {
  const { value, reason } = await ask(timeoutMs)(
    { host, port },
    database,
    async (client): Promise<FenceResult> => {
      const identity = await identify(client);
      if (identity.replica) return { fenced: 'standby', ended: 0 };
      const closed = readOnly && (await setReadOnly(client, true, log));
      const ended = await endSessions(client, log);
      return { fenced: closed ? 'fenced' : 'cut', ended };
    },
  );
  if (value !== undefined) return value;
  log.warn('The old writer could not be fenced', { host, port, reason });
  return { fenced: 'unreachable', ended: 0 };
}

async function fenceAndWait(deps: FenceDependencies, operation: Operation): Promise<FenceResult> {
  const { ask, now, log } = deps;
  const { from, target, database } = operation;
  const answer = await ask(zeroLagMs + 5_000)(from, database, async (client): Promise<FenceResult> => {
    if ((await identify(client)).replica) return { fenced: 'standby', ended: 0 };
    if (!(await setReadOnly(client, true, log))) {
      throw new SwitchoverRefusedError('The role of failovers may not make the writer read-only.');
    }
    try {
      const ended = await endSessions(client, log);
      await waitForTarget(deps, client, operation, now() + zeroLagMs);
      return { fenced: 'fenced', ended };
    } catch (error) {
      await setReadOnly(client, false, log);
      throw error;
    }
  });
  if (answer.value !== undefined) return answer.value;
  // Whatever broke, the writer is to take writes again; where that fails too it is found read-only, and replaced.
  await ask(reachedMs)(from, database, (client) => setReadOnly(client, false, log));
  throw new SwitchoverRefusedError(
    `${target.instance} did not come to have all that was written: ${answer.reason ?? 'no answer'}. Nothing was changed.`,
  );
}

/** Waits until the target has what the writer has, and the writer has no more than before. */
async function waitForTarget(
  { ask, now }: FenceDependencies,
  writer: Client,
  { target, database }: Operation,
  deadline: number,
): Promise<void> {
  let before: string | undefined;
  while (now() < deadline) {
    const written = await positionOf(writer, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
    const { value: replayed } = await ask(Math.min(5_000, Math.max(1, deadline - now())))(
      target,
      database,
      (client) => positionOf(client, 'SELECT pg_last_wal_replay_lsn()::text AS lsn'),
    );
    const has = written !== undefined && replayed !== undefined && bytesBetween(written, replayed) >= 0n;
    if (has && before === written) return;
    before = written;
    await sleep(pauseMs);
  }
  throw new Error(`something was still missing after ${zeroLagMs / 1000} s`);
}

async function positionOf(client: Client, sql: string): Promise<string | undefined> {
  return lsnRowSchema.parse((await client.query(sql)).rows[0]).lsn ?? undefined;
}

/** @returns whether the server let it be done: RDS does not. */
export async function setReadOnly(
  client: Client,
  on: boolean,
  log: FenceDependencies['log'],
): Promise<boolean> {
  try {
    await client.query(
      on
        ? 'ALTER SYSTEM SET default_transaction_read_only = on'
        : 'ALTER SYSTEM RESET default_transaction_read_only',
    );
    await client.query('SELECT pg_reload_conf()');
    return true;
  } catch (error) {
    log.warn('An instance does not let its sessions be made read-only', { on, error });
    return false;
  }
}

async function endSessions(client: Client, log: FenceDependencies['log']): Promise<number> {
  try {
    return countSchema.parse((await client.query(endSql)).rows[0]).ended;
  } catch (error) {
    log.warn('Sessions of the old writer could not be ended', { error });
    return 0;
  }
}
