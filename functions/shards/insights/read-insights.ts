import * as z from 'zod';
import type { DatabaseInstance } from '../../failover/model.ts';
import type { Ask, Client } from '../../failover/probing/ask.ts';
import { identify } from '../../failover/probing/identify.ts';
import type { Shard } from '../../shared/shards.ts';
import { readIndexBloat, readTableBloat } from './bloat.ts';
import { readCandidates, readMissing, readScanned, unusedOf } from './indexes.ts';
import { mostTold, type ShardInsights } from './model.ts';
import { readPools } from './pools.ts';
import { readSlowStatements } from './statements.ts';

export interface InsightParts {
  /** Asks as `mainstay_stats`, in bounded time. */
  readonly ask: Ask;
  readonly slowMs: number;
  readonly now: () => Date;
}

/**
 * What a shard's own statistics tell of its statements, indexes, tables and connections. The writer tells most of it; each
 * instance counts for itself which indexes it scans, and has connections of its own. It does not throw.
 */
export async function readInsights(
  shard: Pick<Shard, 'name' | 'writer' | 'database'>,
  instances: readonly DatabaseInstance[],
  { ask, slowMs, now }: InsightParts,
): Promise<ShardInsights> {
  const at = now().toISOString();
  const [writer, others] = await Promise.all([
    ask(shard.writer, shard.database, async (client, enter) => {
      enter('read');
      return {
        ...(await seenBy(client, null)),
        since: await statisticsSince(client),
        slowStatements: await readSlowStatements(client, slowMs),
        candidates: await readCandidates(client),
        missingIndexes: await readMissing(client),
        tableBloat: await readTableBloat(client),
        indexBloat: await readIndexBloat(client),
      };
    }),
    Promise.all(
      instances.map(async ({ id, host, port }) => ({
        id,
        answer: await ask({ host, port }, shard.database, async (client, enter) => {
          enter('read');
          return seenBy(client, id);
        }),
      })),
    ),
  ]);
  const { value } = writer;
  if (value === undefined) return { ...nothing, shard: shard.name, at, reason: writer.reason ?? 'no answer' };
  const own = others.find(({ answer }) => answer.value?.started === value.started);
  const readers = others.filter((other) => other !== own);
  const seen = readers.flatMap(({ answer }) => answer.value ?? []);
  const scanned = new Set([value, ...seen].flatMap((each) => each.scanned));
  const pools = [(own?.answer.value ?? value).pools, ...seen.map((each) => each.pools)].flat();
  const { slowStatements, missingIndexes, tableBloat, indexBloat } = value;
  return {
    ...{ shard: shard.name, at, reason: null, slowStatements, missingIndexes, tableBloat, indexBloat },
    statisticsSince: value.since?.toISOString() ?? null,
    unseenInstances: readers.filter(({ answer }) => answer.value === undefined).map(({ id }) => id),
    unusedIndexes: unusedOf(value.candidates, scanned),
    pools: pools.sort((one, other) => other.connections - one.connections).slice(0, mostTold),
  };
}

const nothing = {
  ...{ statisticsSince: null, unseenInstances: [], slowStatements: null, unusedIndexes: [] },
  ...{ missingIndexes: [], tableBloat: [], indexBloat: [], pools: [] },
};

async function seenBy(client: Client, instance: string | null) {
  const { started } = await identify(client);
  return { started, scanned: await readScanned(client), pools: await readPools(client, instance) };
}

async function statisticsSince(client: Client): Promise<Date | null> {
  const { rows } = await client.query(
    'SELECT stats_reset AS since FROM pg_catalog.pg_stat_database WHERE datname = current_database()',
  );
  return z.array(z.object({ since: z.date().nullable() })).parse(rows)[0]?.since ?? null;
}
