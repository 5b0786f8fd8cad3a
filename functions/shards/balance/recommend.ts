import { type ShardMap, shardOfSlot } from '../map/shard-map.ts';
import { type Combined, type SlotState, scoreOf } from './combine.ts';
import type { Block } from './health.ts';
import { type Plan, plan } from './plan/plan.ts';
import type { PlanProblem } from './plan/problem.ts';
import { type Balance, limitsOf } from './settings.ts';
import type { Recommendation } from './views.ts';

export interface RecommendRequest {
  readonly threshold: number;
  readonly minImprovement: number;
  readonly maxMoves: number;
  /** A shard that is to be filled; it may not exist yet. */
  readonly add: string | undefined;
  readonly drain: readonly string[];
  /** Shards that are left as they are. */
  readonly leave: readonly string[];
  /** Slots that are being moved. */
  readonly inMotion: readonly number[];
}

export interface RecommendFacts {
  readonly combined: Combined;
  readonly map: ShardMap;
  readonly balance: Balance;
  readonly blocks: ReadonlyMap<string, readonly Block[]>;
}

/** What a move takes beside its bytes, in milliseconds: the change of the map, and its coming to everybody. */
const perMoveMs = 12_000;

/** Which slots to move, and what that costs and gains. Nothing is moved by it. */
export function recommend(request: RecommendRequest, facts: RecommendFacts): Recommendation {
  const { combined, map, balance } = facts;
  const problem = problemOf(request, facts);
  const names = problem.shards.map(({ name }) => name);
  const made = plan(problem);
  const moves = made.moves.map((move, index) => {
    const slot = combined.slots[move.slot];
    const sizeBytes = Math.round(slot?.bytes ?? 0);
    return {
      order: index + 1,
      slots: rangesOf([slot?.slot ?? 0]),
      from: names[move.from] ?? '',
      to: names[move.to] ?? '',
      rows: roundedRows(slot),
      sizeBytes,
      share: move.share,
      ...estimateOf(sizeBytes, balance),
      varianceAfter: move.variationAfter,
      improvement: (made.moves[index - 1]?.variationAfter ?? made.before) - move.variationAfter,
    };
  });
  const empty = emptyMoves(request, { combined, map }, problem, made, moves.length);
  const all = [...moves, ...empty];
  const total = (of: (move: (typeof all)[number]) => number) => all.reduce((sum, move) => sum + of(move), 0);
  return {
    recommended: all.length > 0,
    outcome: made.outcome === 'even' && empty.length > 0 ? 'reached' : made.outcome,
    explanation: explain(request, facts, problem, made),
    threshold: request.threshold,
    before: { variance: made.before, balanceScore: scoreOf(made.before) },
    after: { variance: made.after, balanceScore: scoreOf(made.after) },
    movedShare: made.moved,
    leastMovedShare: Math.min(made.leastMoved, 1),
    moves: all,
    total: {
      moves: all.length,
      rows: total((move) => Object.values(move.rows).reduce((sum, rows) => sum + rows, 0)),
      sizeBytes: total(({ sizeBytes }) => sizeBytes),
      estimatedDurationMs: total(({ estimatedDurationMs }) => estimatedDurationMs),
      estimatedCostUsd: total(({ estimatedCostUsd }) => estimatedCostUsd),
    },
    shards: problem.shards.map((shard, index) => ({
      shard: shard.name,
      shareBefore: made.shares.loads[index] ?? 0,
      shareAfter: made.loads[index] ?? 0,
      targetShare: made.shares.weights[index] ?? 0,
      fixedShare: made.shares.immovable[index] ?? 0,
      mayLeave: shard.source,
      mayCome: shard.target,
    })),
  };
}

function problemOf(request: RecommendRequest, { combined, balance, blocks }: RecommendFacts): PlanProblem {
  const states = combined.shards;
  const added =
    request.add === undefined || states.some(({ shard }) => shard === request.add) ? [] : [request.add];
  const index = new Map(states.map(({ shard }, at) => [shard, at]));
  const blocked = (shard: string, which: 'leave' | 'come') =>
    request.leave.includes(shard) || (blocks.get(shard) ?? []).some((block) => block[which]);
  return {
    shards: [
      ...states.map(({ shard, weight, capacityBytes, fixedShare, bytes, analysis }) => ({
        ...{ name: shard, weight, fixedLoad: fixedShare },
        bytes: Math.max(bytes, analysis?.found?.databaseBytes ?? 0),
        ...(capacityBytes !== undefined && { capacityBytes }),
        source: !blocked(shard, 'leave'),
        target: !blocked(shard, 'come') && !request.drain.includes(shard),
        drain: request.drain.includes(shard),
        fill: request.add === shard,
      })),
      ...added.map((name) => ({
        ...{ name, fixedLoad: 0, bytes: 0, source: true, target: true, drain: false, fill: true },
        weight: limitsOf(balance, name).weight,
      })),
    ],
    slots: combined.slots.map(({ slot, shard, share, bytes, alsoOn }) => ({
      ...{ slot, shard: index.get(shard) ?? 0, load: share, bytes },
      movable: alsoOn.length === 0 && !request.inMotion.includes(slot),
    })),
    threshold: request.threshold,
    minImprovement: request.minImprovement,
    maxMoves: request.maxMoves,
  };
}

function estimateOf(sizeBytes: number, { moveBytesPerSecond, movePricePerGb }: Balance) {
  return {
    estimatedDurationMs: Math.round((sizeBytes * 1000) / moveBytesPerSecond) + perMoveMs,
    estimatedCostUsd: (sizeBytes / 1e9) * movePricePerGb,
  };
}

function roundedRows(slot: SlotState | undefined): Record<string, number> {
  return Object.fromEntries(Object.entries(slot?.rows ?? {}).map(([kind, rows]) => [kind, Math.round(rows)]));
}

/** Slots without rows have to leave a drained shard as well: a change of the map, to where there is least. */
function emptyMoves(
  { drain, inMotion }: RecommendRequest,
  { combined, map }: Pick<RecommendFacts, 'combined' | 'map'>,
  { shards }: PlanProblem,
  made: Plan,
  before: number,
): Recommendation['moves'] {
  const filled = new Set(combined.slots.map(({ slot }) => slot));
  const target = shards
    .map(({ name, target: may, weight }, index) => ({ name, may, level: (made.loads[index] ?? 0) / weight }))
    .filter(({ may }) => may)
    .sort((a, b) => a.level - b.level)[0];
  if (target === undefined) return [];
  return drain
    .filter((name) => shards.some((shard) => shard.name === name && shard.source))
    .flatMap((name) => {
      const slots = Array.from({ length: map.slots }, (_, slot) => slot).filter(
        (slot) => !filled.has(slot) && !inMotion.includes(slot) && shardOfSlot(map, slot) === name,
      );
      return slots.length === 0 ? [] : [{ name, slots }];
    })
    .map(({ name, slots }, index) => ({
      ...{ order: before + index + 1, slots: rangesOf(slots), from: name, to: target.name },
      ...{ rows: {}, sizeBytes: 0, share: 0, estimatedDurationMs: perMoveMs, estimatedCostUsd: 0 },
      ...{ varianceAfter: made.after, improvement: 0 },
    }));
}

/** Slots in order, neighbours together. */
function rangesOf(slots: readonly number[]): { first: number; last: number }[] {
  const ranges: { first: number; last: number }[] = [];
  for (const slot of slots) {
    const range = ranges.at(-1);
    if (range?.last === slot - 1) range.last = slot;
    else ranges.push({ first: slot, last: slot });
  }
  return ranges;
}

/** Why the plan is what it is, in sentences. */
function explain(
  { threshold, drain, add, inMotion }: RecommendRequest,
  { combined, blocks }: RecommendFacts,
  { shards, minImprovement }: PlanProblem,
  made: Plan,
): string[] {
  const said: string[] = [];
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  if (combined.slots.length === 0) {
    said.push('No rows were counted by slot: name the tables of the entities in sharding.entities.');
  }
  switch (made.outcome) {
    case 'even':
      said.push(
        `The variance, ${made.before.toFixed(3)}, is not over the threshold, ${threshold}: nothing has to move.`,
      );
      break;
    case 'reached':
      said.push(
        `${made.moves.length} moves of ${percent(made.moved)} of the load bring the variance from ${made.before.toFixed(3)} to ${made.after.toFixed(3)}; no plan can do it with less than ${percent(made.leastMoved)}.`,
      );
      break;
    case 'improved':
      said.push(
        `No moves that were found bring the variance under ${threshold}: with these it is ${made.after.toFixed(3)}.`,
      );
      break;
    case 'cut':
      said.push(
        `These are as many moves as are allowed; the variance is ${made.after.toFixed(3)} then. Ask again afterwards.`,
      );
      break;
    case 'not-worth-it':
      said.push(
        `The variance, ${made.before.toFixed(3)}, is over the threshold, and no moves make it better by ${minImprovement} or more.`,
      );
      break;
    default:
      made.outcome satisfies never;
  }
  const heaviest = combined.slots[0];
  if (made.outcome !== 'reached' && made.outcome !== 'even' && heaviest !== undefined) {
    said.push(
      `The heaviest slot, ${heaviest.slot} on ${heaviest.shard}, is ${percent(heaviest.share)} of all load by itself.`,
    );
  }
  for (const { name } of shards) {
    for (const { detail, leave } of blocks.get(name) ?? []) {
      said.push(`${leave ? 'Nothing is moved from or to' : 'Nothing is moved to'} ${name}: ${detail}`);
    }
  }
  combined.shards.forEach(({ shard, fixedShare }) => {
    if (fixedShare > 0)
      said.push(
        `${percent(fixedShare)} of the load stays on ${shard}: pinned tenants, and rows of other shards’ slots.`,
      );
  });
  const moving = combined.slots.filter(({ alsoOn }) => alsoOn.length > 0).length;
  if (moving + inMotion.length > 0) {
    said.push(`Slots in motion are not moved: ${moving} with rows on two shards, ${inMotion.length} named.`);
  }
  for (const name of drain) {
    const index = shards.findIndex((shard) => shard.name === name);
    const left = made.loads[index] ?? 0;
    if (left > 1e-9) said.push(`${percent(left)} of the load stays on ${name}, which is to be drained.`);
  }
  if (add !== undefined) said.push(`${add} gets at least ${percent(1 - threshold)} of what it should have.`);
  return said;
}
