import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Address } from '../../../functions/failover/model.ts';

/** How to reach a shard as the platform's services do. */
export interface Route {
  /** Where writes go now: asked anew for each connection. */
  address(): Promise<Address>;
  login: { user: string; password: string; database: string; ca: string };
}

/** One insert that the database has acknowledged. */
export interface Acknowledged {
  writer: number;
  number: number;
  /** The instance that took it, by its own account. */
  instance: string;
  /** When it was sent and acknowledged, in milliseconds since the epoch. */
  sentAt: number;
  at: number;
}

/** How long a service waits for a connection and for an answer, in milliseconds. */
const patienceMs = 1000;
/** The pause after a failure and between two inserts, in milliseconds. */
const pauseMs = 10;

const table = `CREATE TABLE IF NOT EXISTS public.ledger (
  run text, writer int, number int, instance text DEFAULT current_setting('cluster_name'),
  PRIMARY KEY (run, writer, number))`;
const insert = 'INSERT INTO public.ledger (run, writer, number) VALUES ($1, $2, $3) RETURNING instance';

/** Services that write numbered rows without a pause, and remember what they were told is written. */
export class Ledger {
  readonly run: string;
  readonly acknowledged: Acknowledged[] = [];
  /** Inserts of which nobody knows whether they were done. */
  unknown = 0;
  readonly #route: Route;
  readonly #stop = new AbortController();
  readonly #writers: Promise<void>[];

  private constructor(route: Route, run: string, writers: number) {
    this.#route = route;
    this.run = run;
    this.#writers = Array.from({ length: writers }, (_, writer) => this.#write(writer));
  }

  /** Makes the table where there is none, and begins to write. @param run distinguishes it from others. */
  static async start(route: Route, run: string, writers = 4): Promise<Ledger> {
    // A platform that has just started is busy.
    await withConnection(route, (client) => client.query(table), 30_000);
    return new Ledger(route, run, writers);
  }

  /** Writes to a place whatever the shard map says, as a service that has not heard of a change. */
  static stubborn(route: Route, address: Address, run: string): Ledger {
    return new Ledger({ ...route, address: async () => address }, run, 1);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#writers);
  }

  /** Acknowledged inserts that the writer of now does not have. Call it after `stop`. */
  async lost(): Promise<Acknowledged[]> {
    const { rows } = await withConnection(this.#route, (client) =>
      client.query<{ writer: number; number: number }>(
        'SELECT writer, number FROM public.ledger WHERE run = $1',
        [this.run],
      ),
    );
    const there = new Set(rows.map(({ writer, number }) => `${writer}/${number}`));
    return this.acknowledged.filter(({ writer, number }) => !there.has(`${writer}/${number}`));
  }

  /** The longest time without an acknowledgement that began after `from`, in milliseconds. */
  longestGapMs(from: number, to = Date.now()): number {
    const times = this.acknowledged.map(({ at }) => at).sort((a, b) => a - b);
    const before = times.findLast((at) => at <= from) ?? from;
    const inside = [before, ...times.filter((at) => at > from && at <= to), to];
    // Hours of writes are more than a call takes arguments.
    return inside.reduce((longest, at, index) => Math.max(longest, at - (inside[index - 1] ?? at)), 0);
  }

  async #write(writer: number): Promise<void> {
    let open: Connection | undefined;
    for (let number = 0; !this.#stop.signal.aborted; number++) {
      try {
        open ??= await connect(this.#route);
        const sentAt = Date.now();
        const { rows } = await open.client.query<{ instance: string }>(insert, [this.run, writer, number]);
        this.acknowledged.push({ writer, number, instance: rows[0]?.instance ?? '', sentAt, at: Date.now() });
      } catch {
        if (open !== undefined) this.unknown += 1;
        open?.socket.destroy();
        open = undefined;
      }
      await sleep(pauseMs);
    }
    open?.socket.destroy();
  }
}

interface Connection {
  client: pg.Client;
  /** What hangs does not say goodbye: it is destroyed. */
  socket: Socket;
}

async function connect(
  { address, login: { ca, ...login } }: Route,
  answerMs = patienceMs,
): Promise<Connection> {
  const socket = new Socket();
  const client = new pg.Client({
    ...(await address()),
    ...login,
    application_name: 'ledger',
    ssl: { ca },
    connectionTimeoutMillis: answerMs,
    query_timeout: answerMs,
    stream: () => socket,
  });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return { client, socket };
}

/** Runs `work` on a connection of its own to where writes go. @param answerMs how long connecting, and a statement, may take. */
export async function withConnection<T>(
  route: Route,
  work: (client: pg.Client) => Promise<T>,
  answerMs?: number,
): Promise<T> {
  const { client, socket } = await connect(route, answerMs);
  try {
    return await work(client);
  } finally {
    socket.destroy();
  }
}
