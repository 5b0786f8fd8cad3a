import { setTimeout as sleep } from 'node:timers/promises';
import { ShardError } from '../../../../client/errors.ts';
import type { ShardClient } from '../../../../client/shard-client.ts';

/** One insert that a service was told is done. */
export interface Acknowledged {
  readonly writer: number;
  readonly number: number;
  /** The instance that took it, by its own account. */
  readonly instance: string;
  /** When it was sent and acknowledged, in milliseconds since the epoch. */
  readonly sentAt: number;
  readonly at: number;
}

/** One that it was told is not, or perhaps. */
export interface Failed {
  readonly code: string;
  readonly tookMs: number;
  readonly sentAt: number;
}

export const tableSql = `CREATE TABLE IF NOT EXISTS public.numbered (
  run text, writer int, number int, instance text DEFAULT current_setting('cluster_name'), PRIMARY KEY (run, writer, number))`;
const insertSql = 'INSERT INTO public.numbered (run, writer, number) VALUES ($1, $2, $3) RETURNING instance';

/** The pause between two inserts of a service, in milliseconds. */
const pauseMs = 10;

/** Services that write numbered rows of some keys by the client, each number once, and remember what they were told. */
export class NumberedInserts {
  readonly run: string;
  readonly acknowledged: Acknowledged[] = [];
  readonly failed: Failed[] = [];
  /** What is none of the client's errors. */
  readonly unexpected: unknown[] = [];
  readonly #client: ShardClient;
  readonly #stop = new AbortController();
  readonly #writers: Promise<void>[];

  constructor(client: ShardClient, keys: readonly string[], run: string) {
    this.run = run;
    this.#client = client;
    this.#writers = keys.map((key, writer) => this.#write(key, writer));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#writers);
  }

  /** Acknowledged rows that are not among these. Call it after `stop`. */
  lost(rows: readonly { writer: number; number: number }[]): Acknowledged[] {
    const there = new Set(rows.map(({ writer, number }) => `${writer}/${number}`));
    return this.acknowledged.filter(({ writer, number }) => !there.has(`${writer}/${number}`));
  }

  /** The longest time without an acknowledgement from `from` on, in milliseconds. */
  longestGapMs(from: number): number {
    const times = this.acknowledged.map(({ at }) => at).sort((a, b) => a - b);
    const seen = [from, ...times.filter((at) => at > from)];
    return Math.max(...seen.map((at, index) => at - (seen[index - 1] ?? at)));
  }

  async #write(key: string, writer: number): Promise<void> {
    for (let number = 0; !this.#stop.signal.aborted; number += 1) {
      const sentAt = Date.now();
      try {
        const { rows } = await this.#client
          .writer(key, { kind: 'user' })
          .query<{ instance: string }>(insertSql, [this.run, writer, number]);
        this.acknowledged.push({ writer, number, instance: rows[0]?.instance ?? '', sentAt, at: Date.now() });
      } catch (error) {
        if (error instanceof ShardError) {
          this.failed.push({ code: error.code, tookMs: Date.now() - sentAt, sentAt });
        } else this.unexpected.push(error);
      }
      await sleep(pauseMs);
    }
  }
}
