import pg from 'pg';
import { redact } from '../../shared/redact.ts';
import type { Shard } from '../../shared/shards.ts';
import { type Archive, cleanUp } from './clean-up.ts';
import { findTasks } from './find-tasks.ts';
import type { CleanUpResult, MaintenanceReport, MaintenanceSettings, TableTask } from './model.ts';

export interface MaintainParts {
  /** Connects to a writer as `mainstay_maintain`. */
  readonly open: (shard: Pick<Shard, 'writer' | 'database'>) => Promise<pg.Client>;
  readonly archive: Archive;
  readonly settings: MaintenanceSettings;
  /** Names this run among those of a day. */
  readonly run: string;
  readonly now: () => Date;
  /** When no further piece of work is begun, in milliseconds since the epoch. */
  readonly until: number;
  /** When everything has to have ended. */
  readonly end: number;
}

/** Looks a shard through for what it needs, and does it where that is asked for. It does not throw. */
export async function maintainShard(
  shard: Pick<Shard, 'name' | 'writer' | 'database'>,
  parts: MaintainParts,
): Promise<MaintenanceReport> {
  const { settings, now, until, end, run, archive } = parts;
  const at = now().toISOString();
  const report = { shard: shard.name, at, acted: settings.act, reason: null };
  const timeLeft = () => now().getTime() < until;
  let client: pg.Client | undefined;
  try {
    client = await parts.open(shard);
    await boundStatements(client, end - now().getTime());
    const cleaned: CleanUpResult[] = [];
    for (const rule of settings.cleanUp) {
      const prefix = `archives/${shard.name}/${rule.table}/${at.slice(0, 10)}/${run}-`;
      cleaned.push(await cleanUp(client, rule, { act: settings.act, archive, timeLeft, prefix }));
    }
    // Afterwards: what was removed is to be vacuumed.
    const tables: TableTask[] = [];
    for (const task of await findTasks(client)) {
      if (!settings.act || task.outcome !== 'proposed') tables.push(task);
      else if (!timeLeft()) tables.push({ ...task, outcome: 'left-over' });
      else tables.push(await perform(client, task, end - now().getTime()));
    }
    return { ...report, tables, cleanUp: cleaned };
  } catch (error) {
    return { ...report, reason: sayingWhy(error), tables: [], cleanUp: [] };
  } finally {
    await client?.end().catch(() => {});
  }
}

async function boundStatements(client: pg.Client, ms: number): Promise<void> {
  await client.query(`SET statement_timeout = ${Math.max(1_000, Math.floor(ms))}`);
}

async function perform(client: pg.Client, task: TableTask, withinMs: number): Promise<TableTask> {
  const name = `${pg.escapeIdentifier(task.schema)}.${pg.escapeIdentifier(task.table)}`;
  try {
    await boundStatements(client, withinMs);
    // Whoever works on the table goes first.
    await client.query(
      task.task === 'vacuum' ? `VACUUM (ANALYZE, SKIP_LOCKED) ${name}` : `ANALYZE (SKIP_LOCKED) ${name}`,
    );
    return { ...task, outcome: 'done' };
  } catch (error) {
    return { ...task, outcome: 'failed', reason: sayingWhy(error) };
  }
}

function sayingWhy(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return redact(text).slice(0, 500);
}
