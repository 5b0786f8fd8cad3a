import pg from 'pg';
import * as z from 'zod';
import { redact } from '../../shared/redact.ts';
import type { CleanUpResult, CleanUpRule } from './model.ts';

/** Stores the rows that a statement returns, under a key that no other batch has. @throws what kept it from that */
export type Archive = (client: pg.Client, sql: string, key: string) => Promise<number>;

export interface CleanUpParts {
  readonly act: boolean;
  readonly archive: Archive;
  /** Whether there is time for another batch. */
  readonly timeLeft: () => boolean;
  /** What the keys of archived batches begin with, such as `archives/shard-a/public.events/2026-11-22/<run>-`. */
  readonly prefix: string;
}

const tableSchema = z.object({
  kind: z.string(),
  parted: z.boolean(),
  type: z.string().nullable(),
  follows: z.string().nullable(),
  columns: z.array(z.string()),
});

class Refused extends Error {}

/**
 * Removes the rows of a table that are older than its rule says, batch by batch, the oldest first. Each batch is one transaction: the
 * statement that removes the rows is the one that returns them, and it is committed when they are stored. What is cut short in
 * between is rolled back, so nothing is removed that was not stored, and the next run goes on with what is there.
 */
export async function cleanUp(
  client: pg.Client,
  rule: CleanUpRule,
  parts: CleanUpParts,
): Promise<CleanUpResult> {
  const result = {
    table: rule.table,
    action: rule.action,
    rows: 0,
    objects: 0,
    prefix: null as string | null,
  };
  try {
    const { table, columns } = await requireSuitable(client, rule);
    const old = `SELECT ctid FROM ONLY ${table} WHERE ${pg.escapeIdentifier(rule.column)} < now() - make_interval(days => ${rule.olderThanDays}) ORDER BY ${pg.escapeIdentifier(rule.column)} LIMIT ${rule.batchRows}`;
    const count = async () => {
      const { rows } = await client.query(`SELECT count(*)::int AS count FROM (${old}) AS old`);
      return z.object({ count: z.int() }).parse(rows[0]).count;
    };
    if (!parts.act) {
      const rows = await count();
      return { ...result, rows, outcome: rows === 0 ? 'done' : 'proposed', reason: null };
    }
    const remove = `DELETE FROM ONLY ${table} WHERE ctid = ANY (ARRAY(${old}))`;
    while ((await count()) > 0) {
      if (!parts.timeLeft()) return { ...result, outcome: 'left-over', reason: null };
      const removed =
        rule.action === 'delete'
          ? ((await client.query(remove)).rowCount ?? 0)
          : await archived(
              client,
              `${remove} RETURNING ${columns}`,
              `${parts.prefix}${result.objects + 1}`,
              parts.archive,
            );
      result.rows += removed;
      if (rule.action === 'archive' && removed > 0) {
        result.objects++;
        result.prefix = parts.prefix;
      }
      // A trigger keeps the rows: the next batch would be the same again.
      if (removed === 0)
        throw new Refused('its old rows stay when they are deleted: a trigger, or others that change them');
    }
    return { ...result, outcome: 'done', reason: null };
  } catch (error) {
    const refused =
      error instanceof Refused || (error instanceof Error && 'code' in error && error.code === '42501');
    const message = error instanceof Error ? error.message : String(error);
    return {
      ...result,
      outcome: refused ? 'not-permitted' : 'failed',
      reason: redact(message).slice(0, 500),
    };
  }
}

async function archived(client: pg.Client, sql: string, key: string, archive: Archive): Promise<number> {
  await client.query('BEGIN');
  try {
    const rows = await archive(client, sql, key);
    await client.query('COMMIT');
    return rows;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/**
 * @returns the table, and its columns without generated ones, as SQL names them.
 * @throws Refused where rows could go that nobody asked for, or not be told apart
 */
async function requireSuitable(
  client: pg.Client,
  { table, column, action }: CleanUpRule,
): Promise<{ table: string; columns: string }> {
  const name = table
    .split('.')
    .map((part) => pg.escapeIdentifier(part))
    .join('.');
  const { rows } = await client.query(
    `SELECT c.relkind AS kind, EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid) AS parted,
            (SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
              WHERE attrelid = c.oid AND attname = $2 AND NOT attisdropped AND attnum > 0) AS type,
            ARRAY(SELECT quote_ident(attname) FROM pg_catalog.pg_attribute
                   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum) AS columns,
            (SELECT min(conrelid::regclass::text) FROM pg_catalog.pg_constraint
              WHERE confrelid = c.oid AND contype = 'f' AND confdeltype IN ('c', 'n', 'd')) AS follows
       FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass($1)`,
    [name, column],
  );
  const [found] = z.array(tableSchema).parse(rows);
  if (found === undefined)
    throw new Refused('there is no such table here, or mainstay_maintain may not name it');
  if (found.kind !== 'r' || found.parted)
    throw new Refused('it is no plain table: name its partitions instead');
  if (!/^(timestamp|date)/.test(found.type ?? '')) {
    throw new Refused(`its column ${column} is ${found.type ?? 'missing'}: a time is needed`);
  }
  if (action === 'archive' && found.follows !== null) {
    throw new Refused(
      `rows of ${found.follows} would be deleted or changed with its own, and not be archived`,
    );
  }
  return { table: name, columns: found.columns.join(', ') };
}
