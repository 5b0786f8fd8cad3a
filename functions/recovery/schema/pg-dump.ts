import { Worker } from 'node:worker_threads';
import type { Client } from 'pg';
import * as z from 'zod';
import { NotReadyError, PgDumpError } from '../errors.ts';
import { BorrowedSocket } from './borrowed-socket.ts';
import { SharedInbox } from './shared-inbox.ts';

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sent'), bytes: z.instanceof(Uint8Array), asking: z.boolean() }),
  z.object({ kind: z.literal('wants') }),
  z.object({ kind: z.literal('dumped'), sql: z.string() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

/** What a client library wants to know of a session right after login. */
const parameters = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'standard_conforming_strings',
  'integer_datetimes',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'is_superuser',
  'session_authorization',
  'in_hot_standby',
  'default_transaction_read_only',
  'application_name',
] as const;

/** Beside the bundle the worker is a bundle of its own; in the source tree it is a module. */
const workerUrl = new URL(
  import.meta.filename.endsWith('.ts') ? '../pg-dump-worker.ts' : './pg-dump-worker.mjs',
  import.meta.url,
);

export interface PgDumpOptions {
  /** For example `--section=pre-data`, `--snapshot=…`. Rows are never dumped this way. */
  readonly args: readonly string[];
  /** Milliseconds after which pg_dump is given up. */
  readonly timeoutMs: number;
  /**
   * Whether the client is inside the transaction that pg_dump is to see: pg_dump then begins none of its own. Default
   * false.
   */
  readonly inTransaction?: boolean;
}

/**
 * Runs pg_dump (WebAssembly, in a thread of its own) on a connected and authenticated client. The session is left with
 * pg_dump's settings, prepared statements and, unless `inTransaction`, its transaction.
 *
 * @returns the SQL.
 * @throws PgDumpError with what pg_dump wrote to its standard error. NotReadyError when the connection ended.
 */
export async function pgDump(client: Client, options: PgDumpOptions): Promise<string> {
  const { args, timeoutMs, inTransaction = false } = options;
  const session = await readParameters(client);
  const inbox = new SharedInbox();
  const socket = new BorrowedSocket(client, inbox);
  const worker = new Worker(workerUrl, {
    workerData: {
      args: ['--encoding=UTF8', '--no-password', ...args],
      inbox: inbox.memory,
      parameters: session,
      inTransaction,
    },
    env: { PGTZ: 'UTC' },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    reject(new PgDumpError(`pg_dump did not end within ${Math.round(timeoutMs / 1000)} s.`));
  }, timeoutMs);
  worker.on('message', (raw: unknown) => {
    const message = messageSchema.parse(raw);
    if (message.kind === 'sent') socket.send(message.bytes, message.asking);
    else if (message.kind === 'wants') socket.serve();
    else if (message.kind === 'dumped') resolve(message.sql);
    else reject(failureOf(readable(message.message)));
  });
  worker.on('error', (error) => reject(new PgDumpError(`pg_dump broke: ${error.message}`, { cause: error })));
  worker.on('exit', (code) =>
    reject(new PgDumpError(`pg_dump's thread ended with ${code} before its time.`)),
  );
  socket.closed.then(() => {
    reject(new NotReadyError('The connection to the database ended while pg_dump ran.'));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    inbox.close();
    await worker.terminate();
    await socket.giveBack();
  }
}

/** What pg_dump says when the server has gone away, or has sent its session away. */
const lost = /server closed the connection unexpectedly|terminating connection|connection .*has ended/;

const failureOf = (said: string): Error =>
  lost.test(said) ? new NotReadyError(said) : new PgDumpError(said);

/** Standard error comes without line ends, and begins with a complaint about the missing executable. */
function readable(text: string): string {
  return text
    .replace(/invalid binary "[^"]*": No such file or directory/g, '')
    .replace(/pg-dump-worker\.m?[jt]s: (?=error|warning|detail|hint)/g, '\n')
    .replace(/\s+/g, ' ')
    .trim();
}

async function readParameters(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; value: string | null }>(
    'SELECT name, pg_catalog.current_setting(name, true) AS value FROM unnest($1::text[]) AS name',
    [[...parameters]],
  );
  return Object.fromEntries(rows.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])));
}
