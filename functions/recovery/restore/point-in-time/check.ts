import type { Client } from 'pg';
import type { RestoreNotes } from '../../catalog/restore-notes.ts';
import { NotReadyError, RestoreConflictError } from '../../errors.ts';
import type { ShardName } from '../../ids.ts';

const lookSql = `SELECT pg_is_in_recovery() AS recovering,
       (SELECT count(*)::integer FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
           AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_') AS relations`;

/**
 * Looks at a restored database from where the platform will: it can be logged in to by IAM, is a primary, and holds
 * something.
 *
 * @throws NotReadyError, RestoreConflictError when the database is empty.
 */
export async function checkRestored(
  deps: { readonly connect: (database: string) => Promise<Client>; readonly notes: RestoreNotes },
  shard: ShardName,
  database: string,
): Promise<number> {
  const client = await deps.connect(database);
  try {
    const { rows } = await client.query<{ recovering: boolean; relations: number }>(lookSql);
    const [look] = rows;
    if (look === undefined || look.recovering) throw new NotReadyError(`${shard} is still in recovery.`);
    if (look.relations === 0) throw new RestoreConflictError(`The restored database of ${shard} is empty.`);
    await deps.notes.setCluster(shard, { relations: look.relations });
    return look.relations;
  } finally {
    await client.end().catch(() => {});
  }
}
