import type pg from 'pg';
import * as z from 'zod';
import type { CountedTable, DatabaseResult } from './contract.ts';
import {
  appliedVersionsSql,
  bootstrapPreparation,
  bootstrapSteps,
  hiddenTablesSql,
  latestVersion,
} from './sql.ts';

const appliedRows = z.array(z.object({ version: z.int() }));
const hiddenRows = z.array(z.object({ table: z.string(), reason: z.enum(['forced', 'owner']) }));

/**
 * Brings one shard's database up to date in one transaction: all of it, or nothing. Runs at the same time wait for
 * each other.
 *
 * @param counted tables that analyses may count; others no more.
 */
export async function prepareDatabase(
  client: pg.Client,
  shard: string,
  counted: readonly CountedTable[] = [],
): Promise<DatabaseResult> {
  await client.query('BEGIN');
  try {
    await client.query(bootstrapPreparation);
    const present = appliedRows.parse((await client.query(appliedVersionsSql)).rows);
    const steps = bootstrapSteps(
      present.map(({ version }) => version),
      counted,
    );
    for (const { sql } of steps) await client.query(sql);
    const hidden = hiddenRows.parse((await client.query(hiddenTablesSql)).rows);
    await client.query('COMMIT');
    const applied = steps.flatMap(({ version }) => version ?? []);
    return { shard, version: latestVersion, applied, hidden };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
