import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { restoresDatabase } from '../../../bootstrap/restores-sql.ts';
import { NotReadyError, RestoreConflictError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import { quoteIdentifier, quoteLiteral, sqlState } from '../../snapshot/sql.ts';
import type { ShardPlan } from '../events.ts';
import { findConflicts, type WantedDatabase } from './conflicts.ts';
import { whileEndingSessions } from './end-sessions.ts';
import { findDatabase, markSql } from './marker.ts';
import { maintenanceDatabase, type TargetServer, withTarget } from './target-session.ts';

const duplicateDatabase: ReadonlySet<string> = new Set(['42P04', '23505']);
/** The template is missing, is no template, or is of another encoding, locale or version of its collations. */
const templateUnusable: ReadonlySet<string> = new Set(['3D000', '42501', '22023', 'XX000']);
const objectInUse = '55006';

/**
 * Makes the database that is restored into, or finds the one that this restore has made before. It gets its name only
 * when it carries the mark of the restore: a database without it is somebody else's.
 *
 * @param client in another database of the server, as the role of restores.
 * @throws RestoreConflictError saying everything that is in the way; nothing has been changed then. NotReadyError.
 */
export async function createTarget(client: Client, wanted: WantedDatabase): Promise<void> {
  const { restoreId, database, plan } = wanted;
  const { conflicts } = await findConflicts(client, wanted);
  if (conflicts.length > 0) throw new RestoreConflictError(conflicts.join(' '));
  if ((await findDatabase(client, database)) !== undefined) return;
  const unnamed = nameBefore(restoreId, database);
  await create(client, unnamed, plan.server);
  await client.query(markSql(unnamed, restoreId, 'restoring'));
  try {
    await client.query(`ALTER DATABASE ${quoteIdentifier(unnamed)} RENAME TO ${quoteIdentifier(database)}`);
  } catch (error) {
    if (!duplicateDatabase.has(sqlState(error) ?? '')) throw error;
    throw new RestoreConflictError(`There is a database "${database}" already.`, { cause: error });
  }
}

/** A name that only this restore gives, until the database is marked. */
const nameBefore = (restoreId: RestoreId, database: string): string =>
  `mainstay_new_${restoreId}_${createHash('sha256').update(database).digest('hex').slice(0, 8)}`.toLowerCase();

/** From the template that the bootstrap made, which has the master user's functions; from an empty one otherwise. */
async function create(client: Client, name: string, server: ShardPlan['server']): Promise<void> {
  for (const template of [restoresDatabase, 'template0']) {
    try {
      await client.query(
        `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE ${quoteIdentifier(template)} ${localeSql(server)}`,
      );
      return;
    } catch (error) {
      const state = sqlState(error) ?? '';
      // An earlier attempt was cut off before it gave the database its name.
      if (duplicateDatabase.has(state)) return;
      if (state === objectInUse) {
        throw new NotReadyError(`Somebody is connected to the database "${template}".`, { cause: error });
      }
      if (template === 'template0' || !templateUnusable.has(state)) throw error;
    }
  }
}

function localeSql({ encoding, localeProvider, locale, collate, ctype }: ShardPlan['server']): string {
  const parts = [
    `ENCODING ${quoteLiteral(encoding)}`,
    `LOCALE_PROVIDER ${localeProvider}`,
    `LC_COLLATE ${quoteLiteral(collate)}`,
    `LC_CTYPE ${quoteLiteral(ctype)}`,
  ];
  if (locale !== null && localeProvider === 'icu') parts.push(`ICU_LOCALE ${quoteLiteral(locale)}`);
  if (locale !== null && localeProvider === 'builtin') parts.push(`BUILTIN_LOCALE ${quoteLiteral(locale)}`);
  return parts.join(' ');
}

/**
 * Removes a database of this restore, whoever is connected to it, and what an attempt to make it left. Sessions of others
 * are ended by a function of the master user, where the bootstrap has made it.
 *
 * @returns whether there was one.
 * @throws RestoreConflictError when the database is not one of this restore's: it is left alone. NotReadyError when
 *   sessions in it do not end.
 */
export async function dropTarget(
  server: TargetServer,
  restoreId: RestoreId,
  database: string,
): Promise<boolean> {
  return withTarget(server, maintenanceDatabase, async (client) => {
    await client.query(
      `DROP DATABASE IF EXISTS ${quoteIdentifier(nameBefore(restoreId, database))} WITH (FORCE)`,
    );
    const found = await findDatabase(client, database);
    if (found === undefined) return false;
    if (found.marker?.restoreId !== restoreId) {
      throw new RestoreConflictError(`The database "${database}" is not one that restore ${restoreId} made.`);
    }
    await whileEndingSessions(server, () =>
      client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)}`),
    );
    return true;
  });
}
