import type { Client } from 'pg';
import type { RestoreId } from '../../ids.ts';
import { quoteIdentifier, quoteLiteral } from '../../snapshot/sql.ts';

/**
 * What a database is to a restore. Its comment says so: it is seen from every database, only the owner can change it,
 * and no dump of the database holds it.
 */
export type MarkerState = 'restoring' | 'restored' | 'replaced';

export interface Marker {
  readonly restoreId: string;
  readonly state: MarkerState;
}

/** The comment; `functions/bootstrap/restores-sql.ts` knows it too. */
export const markerText = (restoreId: RestoreId, state: MarkerState): string =>
  `Mainstay restore ${restoreId}: ${state}`;

function parseMarker(comment: string | null): Marker | undefined {
  const [, restoreId, state] =
    /^Mainstay restore ([A-Za-z0-9]{1,40}): (restoring|restored|replaced)$/.exec(comment ?? '') ?? [];
  if (restoreId === undefined) return undefined;
  if (state === 'restoring' || state === 'restored' || state === 'replaced') return { restoreId, state };
  return undefined;
}

export interface FoundDatabase {
  readonly owner: string;
  /** Nothing when it has nothing to do with a restore. */
  readonly marker: Marker | undefined;
}

/** @returns nothing when there is no such database. */
export async function findDatabase(client: Client, database: string): Promise<FoundDatabase | undefined> {
  const { rows } = await client.query<{ owner: string; comment: string | null }>(
    `SELECT pg_catalog.pg_get_userbyid(datdba) AS owner,
            pg_catalog.shobj_description(oid, 'pg_database') AS comment
       FROM pg_catalog.pg_database WHERE datname = $1`,
    [database],
  );
  const [row] = rows;
  return row && { owner: row.owner, marker: parseMarker(row.comment) };
}

/** The statement that marks a database. */
export const markSql = (database: string, restoreId: RestoreId, state: MarkerState): string =>
  `COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${quoteLiteral(markerText(restoreId, state))};`;
