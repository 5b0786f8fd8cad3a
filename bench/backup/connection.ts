import { readFileSync } from 'node:fs';
import pg from 'pg';
import * as z from 'zod';
import { connect } from '../../functions/shared/database.ts';

/** How a candidate reaches the database: through the server's own socket, or by TLS through its endpoint. */
export const connectionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('socket'),
    directory: z.string(),
    database: z.string(),
    user: z.string(),
  }),
  z.strictObject({
    kind: z.literal('tls'),
    host: z.string(),
    port: z.number(),
    database: z.string(),
    user: z.string(),
    password: z.string(),
    authorityFile: z.string(),
  }),
]);
export type DatabaseConnection = z.output<typeof connectionSchema>;

/** Connects; the caller ends the connection. */
export async function openConnection(to: DatabaseConnection): Promise<pg.Client> {
  if (to.kind === 'tls') {
    const authorities = [readFileSync(to.authorityFile, 'utf8')];
    return connect({ ...to, authorities, applicationName: 'bench', statementTimeoutMs: 0 });
  }
  const client = new pg.Client({ host: to.directory, port: 5432, database: to.database, user: to.user });
  await client.connect();
  return client;
}

/** How PostgreSQL's own programs find the database. */
export function programEnvironment(to: DatabaseConnection): Record<string, string> {
  const common = { PGDATABASE: to.database, PGUSER: to.user, PGPORT: '5432', PGTZ: 'UTC' };
  if (to.kind === 'socket') return { ...common, PGHOST: to.directory };
  return {
    ...common,
    PGHOST: to.host,
    PGPORT: String(to.port),
    PGPASSWORD: to.password,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: to.authorityFile,
  };
}
