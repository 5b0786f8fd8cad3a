import * as z from 'zod';
import { type DatabaseInstance, lsnSchema } from '../../failover/model.ts';
import type { Answer, Ask, Client, Phase } from '../../failover/probing/ask.ts';
import { askInstance, type InstanceFound } from '../../failover/probing/ask-instance.ts';
import type { Beat } from '../../failover/probing/ask-writer.ts';
import { identify } from '../../failover/probing/identify.ts';
import type { Shard } from '../../shared/shards.ts';
import { readLoad } from './load.ts';
import type { Load } from './model.ts';
import type { HealthSettings } from './settings.ts';

/** An instance that answered. */
export interface Measured extends InstanceFound {
  readonly connectMs: number;
  readonly queryMs: number;
  readonly load: Load;
}

/** All that one look at a shard found, before anything is made of it. */
export interface Found {
  /** Where the shard map leads. */
  readonly writer: Answer<Measured>;
  /** Where the writer's log ended, where it says that. */
  readonly writerLsn: string | undefined;
  /** Each known instance by itself. */
  readonly instances: readonly {
    readonly instance: DatabaseInstance;
    readonly answer: Answer<Measured>;
  }[];
  readonly durationMs: number;
}

export interface LookParts {
  /** Asks as `mainstay_stats`, in bounded time. */
  readonly ask: Ask;
  readonly settings: HealthSettings;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

/** What part of its own time a reader waits to hear where the writer's log ends. */
const patience = 0.5;

/**
 * Looks at the writer and each known instance of a shard at the same time: one that hangs costs its own bound, and nobody
 * else's. It does not throw.
 */
export async function lookAtHealth(
  shard: Pick<Shard, 'name' | 'writer' | 'database'>,
  instances: readonly DatabaseInstance[],
  { ask, settings, now }: LookParts,
): Promise<Found> {
  const started = now();
  const position = Promise.withResolvers<Beat | undefined>();
  const timer = setTimeout(() => position.resolve(undefined), settings.timeoutMs * patience);
  const measure =
    (find: (client: Client, enter: (phase: Phase) => void) => Promise<InstanceFound>) =>
    async (client: Client, enter: (phase: Phase) => void): Promise<Measured> => {
      const connected = now();
      await client.query('SELECT 1');
      const queryMs = now() - connected;
      const found = await find(client, enter);
      enter('read');
      return { ...found, connectMs: connected - started, queryMs, load: await readLoad(client, settings) };
    };
  const writer = ask(
    shard.writer,
    shard.database,
    measure(async (client, enter) => {
      enter('identify');
      const identity = await identify(client);
      if (!identity.replica && !identity.aurora) {
        position.resolve({ identity, lsn: await logEnd(client), at: now() });
      }
      return { identity };
    }),
  );
  void writer.finally(() => position.resolve(undefined));
  const others = instances.map(async (instance) => ({
    instance,
    answer: await ask(
      { host: instance.host, port: instance.port },
      shard.database,
      measure((client, enter) => askInstance(client, enter, () => position.promise, now)),
    ),
  }));
  const [answer, all] = await Promise.all([writer, Promise.all(others)]);
  clearTimeout(timer);
  return {
    writer: answer,
    writerLsn: (await position.promise)?.lsn,
    instances: all,
    durationMs: now() - started,
  };
}

async function logEnd(client: Client): Promise<string> {
  const { rows } = await client.query('SELECT pg_current_wal_lsn()::text AS lsn');
  return z.object({ lsn: lsnSchema }).parse(rows[0]).lsn;
}
