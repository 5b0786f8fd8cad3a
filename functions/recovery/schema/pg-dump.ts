import { Worker } from 'node:worker_threads';
import type { Client } from 'pg';
import { z } from 'zod';
import { PgDumpError } from '../errors.ts';
import { SharedInbox } from './shared-inbox.ts';
import { AnswerTracker } from './wire.ts';

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

/** Bytes read from the server ahead of pg_dump, before the server has to wait. */
const readAheadBytes = 1024 * 1024;

/** Beside the bundle the worker is a bundle of its own; in the source tree it is a module. */
const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? '../pg-dump-worker.ts' : './pg-dump-worker.mjs',
  import.meta.url,
);

/**
 * Runs pg_dump (WebAssembly, in a thread of its own) on a connected and authenticated client, whose connection is
 * used up by it: the caller ends the client afterwards.
 *
 * @param args for example `--section=pre-data`, `--snapshot=…`; rows are never dumped this way.
 * @param timeoutMs after which pg_dump is given up.
 * @returns the SQL.
 * @throws PgDumpError with what pg_dump wrote to its standard error.
 */
export async function pgDump(client: Client, args: readonly string[], timeoutMs: number): Promise<string> {
  const session = await readParameters(client);
  const socket = client.connection.stream;
  const inbox = new SharedInbox();
  const answers = new AnswerTracker();
  const worker = new Worker(workerUrl, {
    workerData: {
      args: ['--encoding=UTF8', '--no-password', ...args],
      inbox: inbox.memory,
      parameters: session,
    },
    env: { PGTZ: 'UTC' },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    reject(new PgDumpError(`pg_dump did not end within ${Math.round(timeoutMs / 1000)} s.`));
  }, timeoutMs);

  let waiting: Buffer = Buffer.alloc(0);
  let wanted = false;
  const serve = (): void => {
    if (!wanted) return;
    if (waiting.length > 0) waiting = waiting.subarray(inbox.put(waiting));
    else if (answers.ready) inbox.putNothing();
    else return;
    wanted = false;
    if (waiting.length < readAheadBytes) socket.resume();
  };
  const onData = (chunk: Buffer): void => {
    answers.received(chunk);
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    if (waiting.length >= readAheadBytes) socket.pause();
    serve();
  };
  const onEnd = (): void => {
    inbox.close();
    reject(new PgDumpError('The connection to the database ended while pg_dump ran.'));
  };

  worker.on('message', (raw: unknown) => {
    const message = messageSchema.parse(raw);
    if (message.kind === 'sent') {
      if (message.asking) answers.asked();
      socket.write(message.bytes);
    } else if (message.kind === 'wants') {
      wanted = true;
      serve();
    } else if (message.kind === 'dumped') {
      resolve(message.sql);
    } else {
      reject(new PgDumpError(readable(message.message)));
    }
  });
  worker.on('error', (error) => reject(new PgDumpError(`pg_dump broke: ${error.message}`, { cause: error })));
  worker.on('exit', (code) =>
    reject(new PgDumpError(`pg_dump's thread ended with ${code} before its time.`)),
  );
  socket.removeAllListeners('data');
  socket.on('data', onData);
  socket.once('close', onEnd);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.off('close', onEnd);
    socket.destroy();
    inbox.close();
    await worker.terminate();
  }
}

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
