import type { ShardAnalysis } from './analysis/model.ts';
import { type Amounts, type Combined, type ShardState, type SlotState, scoreOf } from './combine.ts';
import type { Balance } from './settings.ts';
import type { AnalysisView } from './views.ts';

const loadMeasure =
  'Tuples read from and written to a table a second, on all instances that answered, divided among its slots as its rows are: PostgreSQL counts them by table and not by slot.';

/** Tenants that are named, of all shards together. */
const mostTenants = 20;

/** What the API says of an analysis. @param slots those of the page. */
export function analysisView(
  combined: Combined,
  { balance, mapEpoch, slots }: { balance: Balance; mapEpoch: number; slots: readonly SlotState[] },
): Omit<AnalysisView, 'run' | 'nextToken'> {
  const { variance } = combined;
  const kinds = [...new Set(combined.shards.flatMap(({ rows }) => Object.keys(rows)))];
  const times = combined.shards.flatMap(({ analysis }) => analysis?.found?.at ?? []).sort();
  return {
    analyzedAt: times[0] ?? new Date(0).toISOString(),
    mapEpoch,
    variance: variance ?? null,
    balanceScore: variance === undefined ? null : scoreOf(variance),
    threshold: balance.threshold,
    overThreshold: variance !== undefined && variance > balance.threshold,
    weights: {
      rows: Object.fromEntries(kinds.map((kind) => [kind, balance.weights.rows[kind] ?? 1])),
      ...{ bytes: balance.weights.bytes, load: balance.weights.load },
    },
    loadMeasure,
    shards: combined.shards.map(shardView),
    hotTenants: combined.shards
      .flatMap(({ shard, analysis }) =>
        (analysis?.found?.tenants ?? []).map((tenant) => ({ ...tenant, shard })),
      )
      .sort((a, b) => b.bytes - a.bytes || (a.tenant < b.tenant ? -1 : 1))
      .slice(0, mostTenants)
      .map(({ tenant, shard, rows, bytes, pinned }) => ({
        ...{ tenant, shard, rows: rounded(rows), sizeBytes: Math.round(bytes), pinned },
      })),
    slots: slots.map(({ slot, shard, share, alsoOn, ...amounts }) => ({
      ...{ slot, shard, share, alsoOn: [...alsoOn] },
      ...amountsView(amounts),
    })),
  };
}

function shardView(state: ShardState): AnalysisView['shards'][number] {
  const { shard, analysis, weight, capacityBytes, share, utilization, fixedShare, slots, misplaced } = state;
  const found = analysis?.found;
  return {
    ...{ shard, weight, fixedShare, slots },
    capacityBytes: capacityBytes ?? null,
    share: share ?? null,
    utilization: utilization ?? null,
    ...amountsView(found === undefined ? state : { ...state, bytes: tableBytes(found) }),
    databaseSizeBytes: found?.databaseBytes ?? null,
    misplaced: { slots: misplaced.slots, rows: Math.round(misplaced.rows) },
    analyzedAt: found?.at ?? null,
    analyzedOn: found?.instance ?? null,
    durationMs: found?.durationMs ?? null,
    tables: (found?.tables ?? []).map(({ table, kind, rows, bytes, loadPerSecond, sample }) => ({
      ...{ table, kind, rows: Math.round(rows), sizeBytes: Math.round(bytes), loadPerSecond },
      sample: sample ?? null,
    })),
    missing: found?.missing ?? [],
    error: analysis?.error ?? null,
  };
}

const tableBytes = ({ tables }: NonNullable<ShardAnalysis['found']>) =>
  tables.reduce((sum, { bytes }) => sum + bytes, 0);

function amountsView({ rows, bytes, loadPerSecond }: Amounts) {
  return { rows: rounded(rows), sizeBytes: Math.round(bytes), loadPerSecond };
}

function rounded(rows: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(rows).map(([kind, count]) => [kind, Math.round(count)]));
}
