import { Socket } from 'node:net';
import type { connect } from '../../shared/database.ts';
import { redact } from '../../shared/redact.ts';
import type { Address } from '../model.ts';

/** How far an instance was got with. */
export type Phase = 'connect' | 'identify' | 'write' | 'read';

/** What is needed of a connection. */
export interface Client {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** What became of asking an instance. */
export interface Answer<T> {
  /** Whether it answered the login, or anything refused or ended the connection: then there is a way to it. */
  heard: boolean;
  /** Whether it answered as it should. */
  value?: T;
  /** Otherwise why not, in a sentence's part. */
  reason?: string;
  /** The error's code, where it has one: five characters from PostgreSQL, `E…` from the network, `TIMEOUT` where time was up. */
  code?: string;
  durationMs: number;
}

/** Connects to an instance and works with it, in bounded time. It does not throw. */
export type Ask = <T>(
  address: Address,
  database: string,
  work: (client: Client, enter: (phase: Phase) => void) => Promise<T>,
) => Promise<Answer<T>>;

/** What ends an attempt without a word from the other side. */
const unheard = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ETIMEDOUT']);

class NoAnswer extends Error {
  readonly code = 'TIMEOUT';
}

/** Asks instances as the role of probes. `timeoutMs` bounds all of it, the connection included. */
export function asker(
  open: typeof connect,
  user: string,
  timeoutMs: number,
  now = () => performance.now(),
): Ask {
  return async (address, database, work) => {
    const started = now();
    const socket = new Socket();
    let phase: Phase = 'connect';
    const attempt = async () => {
      // The bound below is the one that counts.
      const limits = { connectTimeoutMs: 2 * timeoutMs, statementTimeoutMs: timeoutMs };
      const client = await open({ ...address, database, user, socket, ...limits });
      try {
        return await work(client, (entered) => {
          phase = entered;
        });
      } finally {
        void client.end().catch(() => {});
      }
    };
    try {
      const value = await within(timeoutMs, attempt());
      return { heard: true, value, durationMs: now() - started };
    } catch (error) {
      // A server that hangs reads no farewell.
      socket.destroy();
      const reason = `${phase}: ${redact(messageOf(error))}`.slice(0, 300);
      // Accepting a connection, or even TLS, is what kernels and proxies do for servers that hang.
      const code = codeOf(error);
      const silent = error instanceof NoAnswer || unheard.has(code ?? '');
      return {
        heard: phase !== 'connect' || !silent,
        reason,
        ...(code !== undefined && { code }),
        durationMs: now() - started,
      };
    }
  };
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  // Whichever loses the race is not to end the process.
  work.catch(() => {});
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one name, each with its own error.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error.message === '' ? error.name : error.message;
}
