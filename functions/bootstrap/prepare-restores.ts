import type pg from 'pg';
import * as z from 'zod';
import { createRestoresDatabaseSql, restoresDatabase, restoresSql } from './restores-sql.ts';

const creationRows = z.array(z.object({ sql: z.string() })).max(1);
/** Another run has made it in between. */
const duplicate: ReadonlySet<unknown> = new Set(['42P04', '23505']);

/**
 * Brings what restores need of the master user up to date: see `restores-sql.ts`. Doing it again changes nothing.
 *
 * @param client in the platform's database, as the master user, after `prepareDatabase`.
 * @param connect opens another database of the same server as the same user.
 */
export async function prepareRestores(
  client: pg.Client,
  connect: (database: string) => Promise<pg.Client>,
): Promise<void> {
  const [creation] = creationRows.parse((await client.query(createRestoresDatabaseSql)).rows);
  if (creation !== undefined) {
    await client.query(creation.sql).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && duplicate.has(error.code))) throw error;
    });
  }
  const inside = await connect(restoresDatabase);
  try {
    // Several statements in one message are one transaction.
    await inside.query(restoresSql);
  } finally {
    await inside.end().catch(() => {});
  }
}
