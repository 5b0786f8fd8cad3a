import * as z from 'zod';
import type { ProbeStore } from '../../failover/probing/probe-store.ts';
import type { FailoverStore } from '../../failover/store.ts';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import type { Shard } from '../../shared/shards.ts';
import type { ShardHealth } from '../health/model.ts';
import type { ShardMap } from '../map/shard-map.ts';
import { type AnalysisStore, mostRunMs } from './analysis/analysis-store.ts';
import type { Run } from './analysis/model.ts';
import { analysisView } from './analysis-view.ts';
import { type Combined, combine } from './combine.ts';
import { type Block, blocksOf, type RunningWork } from './health.ts';
import { recommend } from './recommend.ts';
import type { balanceRoutes } from './routes.ts';
import type { Balance } from './settings.ts';

export interface BalanceDependencies {
  readonly balance: Balance;
  readonly map: () => Promise<ShardMap>;
  readonly shards: () => Promise<readonly Shard[]>;
  readonly store: Pick<AnalysisStore, 'read' | 'run'>;
  readonly failover: Pick<FailoverStore, 'records'>;
  readonly probes: Pick<ProbeStore, 'probes'>;
  readonly health: () => Promise<ShardHealth[]>;
  readonly work: () => Promise<RunningWork[]>;
  /** Starts an analysis, and does not wait for it. */
  readonly start: (traceparent: string) => Promise<void>;
  readonly now: () => number;
}

const analyzePath = '/api/database/rebalancing/analyze';
/** After an analysis has ended no other one is started by request for so long, in milliseconds. */
const restMs = 60_000;
/** When to look for the result of an analysis, in seconds. */
const lookAfterSeconds = 15;
const positionSchema = z.strictObject({ share: z.number(), slot: z.int() });
const listName = 'slots';

/** The routes that say how even shards are, and what to move. */
export function balanceHandlers(deps: BalanceDependencies): RouteHandlers<typeof balanceRoutes> {
  const look = async (): Promise<{ combined: Combined; map: ShardMap }> => {
    const [map, shards, analyses] = await Promise.all([deps.map(), deps.shards(), deps.store.read()]);
    const names = shards.map(({ name }) => name);
    return { combined: combine(names, analyses, map, deps.balance), map };
  };
  const judge = async (combined: Combined): Promise<ReadonlyMap<string, readonly Block[]>> => {
    const [records, probes, health, work] = await Promise.all([
      deps.failover.records(),
      deps.probes.probes(),
      deps.health(),
      deps.work(),
    ]);
    return new Map(
      combined.shards.map((state) => {
        const failover = records.find(({ shard }) => shard === state.shard);
        const probe = probes.find(({ shard }) => shard === state.shard);
        const stood = health.find(({ shard }) => shard === state.shard);
        const facts = { state, failover, probe, health: stood, work };
        return [state.shard, blocksOf(facts, deps.balance, deps.now())];
      }),
    );
  };
  return {
    analyze: async ({ query, trace }) => {
      const run = await deps.store.run();
      const { combined, map } = await look();
      const none = combined.shards.every(({ analysis }) => analysis?.found === undefined);
      if (query.fresh || none) {
        const going = goesOn(run, deps.now());
        const rested = run?.finishedAt === undefined || deps.now() - Date.parse(run.finishedAt) > restMs;
        if (!going && rested) await deps.start(trace.traceparent);
        if (going || rested || none) {
          const queued = { id: '', state: 'queued' as const, startedAt: new Date(deps.now()).toISOString() };
          return {
            status: 202,
            headers: { location: analyzePath, 'retry-after': String(lookAfterSeconds) },
            body: runView(going && run !== undefined ? run : queued),
          };
        }
      }
      const after = decodeToken(listName, positionSchema, query.nextToken);
      const slots = combined.slots.filter(
        ({ shard, share, slot }) =>
          (query.shard === undefined || shard === query.shard) &&
          (after === undefined || share < after.share || (share === after.share && slot > after.slot)),
      );
      const page = slots.slice(0, query.limit);
      const last = page.at(-1);
      return {
        status: 200,
        body: {
          ...analysisView(combined, { balance: deps.balance, mapEpoch: map.epoch, slots: page }),
          run: run === undefined ? null : runView(run),
          nextToken:
            last !== undefined && slots.length > page.length
              ? encodeToken(listName, { share: last.share, slot: last.slot })
              : null,
        },
      };
    },
    balanceHealth: async () => {
      const { combined } = await look();
      const blocks = await judge(combined);
      return {
        status: 200,
        body: {
          shards: combined.shards.map(({ shard }) => {
            const reasons = [...(blocks.get(shard) ?? [])];
            return {
              shard,
              mayLeave: reasons.every(({ leave }) => !leave),
              mayCome: reasons.every(({ come }) => !come),
              reasons,
              slotsInMotion: combined.slots
                .filter((slot) => slot.shard === shard && slot.alsoOn.length > 0)
                .map(({ slot }) => slot)
                .sort((a, b) => a - b)
                .slice(0, 100),
            };
          }),
        },
      };
    },
    recommend: async ({ query }) => {
      const { combined, map } = await look();
      const names = combined.shards.map(({ shard }) => shard);
      const { drain = [], leave = [], inMotion = [], add } = query;
      for (const [field, given] of Object.entries({ drain, leave })) {
        const unknown = given.find((name: string) => !names.includes(name));
        if (unknown !== undefined)
          throw refuse(field, `There is no shard ${unknown}; there are: ${names.join(', ')}.`);
      }
      if (add !== undefined && drain.includes(add)) throw refuse('add', `${add} is to be drained.`);
      if (names.every((name) => drain.includes(name)) && add === undefined) {
        throw refuse('drain', 'No shard would be left.');
      }
      if (combined.shards.every(({ analysis }) => analysis?.found === undefined)) {
        throw new Problem('conflict', `Nothing has been analyzed yet: GET ${analyzePath} starts it.`);
      }
      const { balance } = deps;
      const blocks = await judge(combined);
      const request = {
        threshold: query.threshold ?? balance.threshold,
        minImprovement: query.minImprovement ?? balance.minImprovement,
        maxMoves: query.maxMoves ?? balance.maxMoves,
        ...{ add, drain, leave, inMotion },
      };
      return { status: 200, body: recommend(request, { combined, map, balance, blocks }) };
    },
  };
}

const goesOn = (run: Run | undefined, now: number) =>
  run?.state === 'running' && now - Date.parse(run.startedAt) < mostRunMs;

function runView({
  finishedAt,
  ...run
}: { state: Run['state'] | 'queued'; startedAt: string; finishedAt?: string | undefined } & (
  | { run: string }
  | { id: string }
)) {
  const id = 'run' in run ? run.run : run.id;
  return { id, state: run.state, startedAt: run.startedAt, finishedAt: finishedAt ?? null };
}

function refuse(field: string, message: string): Problem {
  return new Problem('unprocessable-request', message, { errors: [{ field: `query.${field}`, message }] });
}
