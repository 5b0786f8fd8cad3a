import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@aws-lambda-powertools/logger';
import type pg from 'pg';
import { databaseUsers } from '../../../../lib/constants.ts';
import type { ProbeRecord, ShardInstances } from '../../../failover/model.ts';
import { type connect, wakeUpMs } from '../../../shared/database.ts';
import { redact } from '../../../shared/redact.ts';
import type { Shard } from '../../../shared/shards.ts';
import type { Balance, Counted } from '../settings.ts';
import type { AnalysisStore } from './analysis-store.ts';
import { analyzeShard, type Connected } from './analyze-shard.ts';

export interface AnalyzeDependencies {
  readonly store: AnalysisStore;
  readonly open: typeof connect;
  readonly balance: Balance;
  readonly counted: Counted;
  readonly log: Pick<Logger, 'warn'>;
  readonly now: () => number;
}

export interface AnalyzeInput {
  readonly run: string;
  readonly shards: readonly Shard[];
  readonly instances: readonly ShardInstances[];
  readonly probes: readonly ProbeRecord[];
  readonly slots: number;
  /** When all of it has to be over, in milliseconds since the epoch. */
  readonly deadline: number;
}

/** Shards that are looked at at the same time; one that hangs costs its own time. */
const atOnce = 4;

/** Looks at all shards, each in its part of the time. @returns the names of those that could not be looked at. */
export async function analyzeShards(
  input: AnalyzeInput,
  dependencies: AnalyzeDependencies,
): Promise<string[]> {
  const failed: string[] = [];
  const known = await dependencies.store.list();
  const waiting = [...input.shards];
  const lane = async () => {
    for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
      const rounds = Math.ceil((waiting.length + 1) / atOnce);
      const budgetMs = Math.max(1_000, (input.deadline - dependencies.now()) / rounds);
      const earlier = known.find((each) => each.shard === shard?.name)?.found?.activities ?? [];
      try {
        await within(budgetMs, (until) => lookAt(shard, { ...input, until, earlier }, dependencies));
      } catch (error) {
        const message = redact(error instanceof Error ? error.message : String(error));
        dependencies.log.warn('A shard was not analyzed', { shard: shard.name, reason: message });
        await dependencies.store.fail(shard.name, message, dependencies.now());
        failed.push(shard.name);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return failed.sort();
}

async function lookAt(
  shard: Shard,
  {
    run,
    slots,
    until,
    earlier,
    instances,
    probes,
  }: AnalyzeInput & {
    until: number;
    earlier: Parameters<typeof analyzeShard>[2]['earlier'];
  },
  { store, open, balance, counted, now }: AnalyzeDependencies,
): Promise<void> {
  const connections: { connected: Connected; client: pg.Client }[] = [];
  try {
    const candidates = candidatesOf(
      shard,
      instances.find((each) => each.shard === shard.name),
      probes.find((each) => each.shard === shard.name),
      balance.maxLagSeconds,
    );
    let last: unknown;
    for (const { instance, role, host, port } of candidates) {
      try {
        const left = Math.max(1_000, Math.round(until - now()));
        const client = await open({
          ...{ host, port, database: shard.database, user: databaseUsers.stats },
          connectTimeoutMs: Math.min(role === 'writer' ? wakeUpMs : readerMs, left),
          statementTimeoutMs: left,
        });
        connections.push({ client, connected: { instance, role, client } });
      } catch (error) {
        last = error;
      }
    }
    const all = connections.map(({ connected }) => connected);
    const fit = all.filter(({ instance }) =>
      candidates.some((each) => each.instance === instance && each.fresh),
    );
    const [on] = fit;
    if (on === undefined) throw last ?? new Error('No instance of the shard is known.');
    const analyze = (where: Connected) =>
      analyzeShard(where, all, { counted, balance, slots, earlier, run, now });
    let analysis = await analyze(on);
    // What replication had to end on a reader, the writer can do.
    const writer = fit.find(({ role }) => role === 'writer');
    const conflict = analysis.found.missing.some(({ reason }) => /conflict with recovery/.test(reason));
    if (conflict && on.role === 'reader' && writer !== undefined) analysis = await analyze(writer);
    await store.keep(shard.name, analysis.found, analysis.slots);
  } finally {
    for (const { client } of connections) void client.end().catch(() => {});
  }
}

/** How long a reader may take to let somebody in, in milliseconds: there are others. */
const readerMs = 5_000;

interface Candidate {
  readonly instance: string;
  readonly role: 'writer' | 'reader';
  readonly host: string;
  readonly port: number;
  /** Whether rows may be counted on it. */
  readonly fresh: boolean;
}

/** The instances of a shard: readers that are near enough to the writer first, the nearest before others, then the writer. */
export function candidatesOf(
  shard: Pick<Shard, 'name' | 'writer'>,
  instances: Pick<ShardInstances, 'instances'> | undefined,
  probe: Pick<ProbeRecord, 'readers'> | undefined,
  maxLagSeconds: number,
): Candidate[] {
  const lagOf = (instance: string): number => {
    const seen = probe?.readers.find((each) => each.instance === instance);
    return seen?.reachable === true ? (seen.lagSeconds ?? 0) : Number.POSITIVE_INFINITY;
  };
  const readers = (instances?.instances ?? [])
    .filter(({ role }) => role === 'reader')
    .map(({ id, host, port }) => ({ id, host, port, lag: lagOf(id) }))
    .sort((a, b) => a.lag - b.lag || (a.id < b.id ? -1 : 1))
    .map(({ id, host, port, lag }) => ({
      ...{ instance: id, role: 'reader' as const, host, port },
      fresh: lag <= maxLagSeconds,
    }));
  const writer = { instance: `${shard.name} writer`, role: 'writer' as const, ...shard.writer, fresh: true };
  return [...readers.filter(({ fresh }) => fresh), writer, ...readers.filter(({ fresh }) => !fresh)];
}

async function within<T>(ms: number, work: (until: number) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = sleep(ms, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`It took longer than its ${Math.round(ms / 1000)} s.`);
  });
  late.catch(() => {});
  const working = work(Date.now() + ms);
  working.catch(() => {});
  try {
    return await Promise.race([working, late]);
  } finally {
    stop.abort();
  }
}
