import { drillSchema } from '../../../functions/recovery/drill/model.ts';
import { drillReportSchema } from '../../../functions/recovery/drill/report.ts';
import {
  type Backup,
  backupSchema,
  backupSummarySchema,
  operationSchema,
} from '../../../functions/recovery/model.ts';
import { restoreSchema } from '../../../functions/recovery/restore/model.ts';
import { analysisViewSchema, recommendationSchema } from '../../../functions/shards/balance/views.ts';

const at = '2026-11-21T14:00:00.000Z';
const stages = ['dump', 'compress', 'encrypt', 'hash', 'store'];
const stageTotals = Object.fromEntries(stages.map((stage) => [stage, { bytes: 1, durationMs: 1 }]));

export const backupId = '01M7Z95GC5HF7XGT4X8S1N99H0';
export const operationId = '01M7Z9636NFHER9F0GZ0NXH6B0';
export const restoreId = '01M7Z9GWZ39P2M0245E8624QE2';
export const drillId = '01M7Z9H4C6W8R2B5N1J3K7D9FG';

/** A complete backup of two shards, but for what is given. */
export function backup(changes: Record<string, unknown> = {}): Backup {
  return backupSchema.parse({
    ...summaryFields,
    requestedBy: 'key',
    cancelRequested: false,
    files: null,
    configuration: null,
    progress: {
      stage: 'done',
      chunksDone: 4,
      chunksStored: 4,
      chunksTotal: 4,
      bytesRead: 4_000_000,
      bytesStored: 1_000_000,
      bytesPerSecond: 2_000_000,
      ratio: 4,
      etaMs: 0,
    },
    shardDetails: ['shard-a', 'shard-b'].map((shard) => ({
      shard,
      stage: 'done',
      snapshotAt: at,
      relations: 3,
      chunksTotal: 2,
      chunksDone: 2,
      rows: 1000,
      bytesRead: 2_000_000,
      bytesStored: 500_000,
      stages: stageTotals,
    })),
    leavesOut: [],
    skewMs: 1,
    manifest: { key: 'manifest', versionId: '1', sha256: 'ab' },
    ...changes,
  });
}

const summaryFields = {
  id: backupId,
  state: 'completed',
  type: 'full',
  components: ['database'],
  references: [],
  dependents: [],
  keepUntil: null,
  lockedUntil: null,
  trigger: 'api',
  shards: ['shard-a', 'shard-b'],
  createdAt: at,
  startedAt: at,
  finishedAt: '2026-11-21T14:00:02.000Z',
  durationMs: 2000,
  sizeBytes: 1_000_000,
  referencedBytes: 0,
  rows: 2000,
  verified: true,
  verification: null,
  import: null,
  adoptedFrom: null,
  tenant: null,
  error: null,
};

export function backupSummary(changes: Record<string, unknown> = {}) {
  return backupSummarySchema.parse({ ...summaryFields, ...changes });
}

/** One that is at a quarter. */
export function runningBackup(): Backup {
  const { progress } = backup();
  return backup({
    state: 'running',
    finishedAt: null,
    durationMs: null,
    progress: { ...progress, stage: 'chunks', chunksDone: 1 },
  });
}

export function operation(changes: Record<string, unknown> = {}) {
  return operationSchema.parse({
    id: operationId,
    kind: 'verify',
    backupId,
    state: 'completed',
    createdAt: at,
    finishedAt: at,
    progress: { objectsDone: 7, objectsTotal: 7, bytesRead: 1_000_000 },
    intact: true,
    findings: [],
    findingsTotal: 0,
    object: null,
    adoptedFrom: null,
    result: null,
    reencryption: null,
    error: null,
    ...changes,
  });
}

export function restore(changes: Record<string, unknown> = {}) {
  return restoreSchema.parse({
    id: restoreId,
    kind: 'backup',
    backupId,
    pointInTime: null,
    components: ['database'],
    files: null,
    configuration: null,
    objects: [],
    clusters: [],
    state: 'completed',
    mode: 'new',
    dryRun: false,
    shards: ['shard-a', 'shard-b'],
    tables: null,
    tenant: null,
    requestedBy: 'key',
    createdAt: at,
    startedAt: at,
    finishedAt: at,
    durationMs: 3000,
    cancelRequested: false,
    attempts: 1,
    resumableUntil: null,
    safetyBackupId: null,
    progress: {
      stage: 'done',
      objectsDone: 4,
      objectsTotal: 4,
      bytesRestored: 4_000_000,
      bytesTotal: 4_000_000,
      bytesPerSecond: 1_000_000,
      etaMs: 0,
    },
    plan: {
      objects: 4,
      rows: 2000,
      bytes: 4_000_000,
      storedBytes: 1_000_000,
      estimatedMs: 100,
      conflicts: [],
    },
    identical: true,
    shardDetails: ['shard-a', 'shard-b'].map((shard) => ({
      shard,
      stage: 'done',
      database: 'app_restored_x',
      keptDatabase: null,
      objectsDone: 2,
      objectsTotal: 2,
      rows: 1000,
      bytesRestored: 2_000_000,
      tablesCompared: 3,
      differences: [],
      leftOut: [],
    })),
    error: null,
    ...changes,
  });
}

export function drill(changes: Record<string, unknown> = {}) {
  return drillSchema.parse({
    ...{ id: drillId, state: 'completed', trigger: 'api', restorePoint: 'latest', keys: 'kms' },
    ...{ reuseVerification: true, backupId, restoreId: drillId, shards: ['shard-a'], requestedBy: 'key' },
    ...{ createdAt: at, startedAt: at, finishedAt: at, durationMs: 1, cancelRequested: false },
    progress: {
      ...{ stage: 'done', objectsDone: 4, objectsTotal: 4, bytesRestored: 4_000_000, bytesTotal: 4_000_000 },
      ...{ checksDone: 4, checksTotal: 4 },
    },
    ...{ rpoMs: 7_200_000, rtoMs: 200_000, verification: null, checks: [], findings: [], findingsTotal: 0 },
    report: { path: '/report', sha256: 'ab', markdownSha256: 'cd', key: null },
    error: null,
    ...changes,
  });
}

export function drillReport(changes: Record<string, unknown> = {}) {
  return drillReportSchema.parse({
    ...{ format: 'mainstay.drill', formatVersion: 1, drillId, outcome: 'completed', trigger: 'api' },
    ...{
      requestedBy: 'key',
      createdAt: at,
      startedAt: at,
      finishedAt: at,
      restorePoint: 'latest',
      keys: 'kms',
    },
    backup: null,
    rpo: { targetMs: 93_600_000, measuredMs: 7_200_000, met: true, shards: [] },
    rto: {
      ...{ targetMs: 60_000, measuredMs: 200_000, met: false },
      stages: [{ stage: 'rows', durationMs: 200_000 }],
    },
    ...{ verification: null, restore: null, checks: [], findings: [], findingsTotal: 0 },
    ...{ scratchDatabases: 'removed', error: null },
    ...changes,
  });
}

/** Two shards, of which the first has three quarters of everything. */
export function analysis(changes: Record<string, unknown> = {}) {
  const shard = (name: string, share: number) => ({
    ...{ shard: name, weight: 1, capacityBytes: null, share, utilization: 2 * share, fixedShare: 0 },
    ...{ rows: { user: 4_000 * share }, sizeBytes: 4_000_000 * share, databaseSizeBytes: 8_000_000 },
    ...{ loadPerSecond: 40 * share, slots: 32, misplaced: { slots: 0, rows: 0 }, analyzedAt: at },
    ...{ analyzedOn: `${name}-2`, durationMs: 5, tables: [], missing: [], error: null },
  });
  return analysisViewSchema.parse({
    ...{ analyzedAt: at, mapEpoch: 1, variance: 0.5, balanceScore: 0.667, threshold: 0.2 },
    run: { id: 'r1', state: 'completed', startedAt: at, finishedAt: at },
    ...{ overThreshold: true, weights: { rows: { user: 1 }, bytes: 1, load: 1 }, loadMeasure: 'tuples' },
    shards: [shard('shard-a', 0.75), shard('shard-b', 0.25)],
    hotTenants: [],
    slots: [
      {
        ...{ slot: 7, shard: 'shard-a', share: 0.25, rows: { user: 1_000 }, sizeBytes: 1_000_000 },
        ...{ loadPerSecond: 10, alsoOn: [] },
      },
    ],
    nextToken: null,
    ...changes,
  });
}

/** The one move that makes those shards even. */
export function recommendation(changes: Record<string, unknown> = {}) {
  const moved = { rows: 1_000, sizeBytes: 1_000_000, estimatedDurationMs: 50, estimatedCostUsd: 0.01 };
  const shard = (name: string, shareBefore: number) => ({
    ...{ shard: name, shareBefore, shareAfter: 0.5, targetShare: 0.5, fixedShare: 0 },
    ...{ mayLeave: true, mayCome: true },
  });
  return recommendationSchema.parse({
    ...{ recommended: true, outcome: 'reached', explanation: ['One move makes them even.'], threshold: 0.2 },
    before: { variance: 0.5, balanceScore: 0.667 },
    after: { variance: 0, balanceScore: 1 },
    ...{ movedShare: 0.25, leastMovedShare: 0.2 },
    moves: [
      {
        ...{ order: 1, slots: [{ first: 7, last: 8 }], from: 'shard-a', to: 'shard-b', share: 0.25 },
        ...{ ...moved, rows: { user: 1_000 }, varianceAfter: 0, improvement: 0.5 },
      },
    ],
    total: { moves: 1, ...moved },
    shards: [shard('shard-a', 0.75), shard('shard-b', 0.25)],
    ...changes,
  });
}
