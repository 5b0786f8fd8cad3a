import type { RestoreNotes } from '../catalog/restore-notes.ts';
import type { Loaded, RestoredShard, RestoreRecord } from '../catalog/restore-record.ts';
import type { FilesRestore, RestoredFiles } from '../files/restore-model.ts';
import type { LeftOut, Restore, RestoreStage, ShardRestore } from './model.ts';
import { restoreStageSchema } from './model.ts';
import { showClusters } from './point-in-time/view.ts';

const stages = restoreStageSchema.options;

/** Shows a restore, with its progress merged from the notes of its parts as they are now. */
export async function showRestore(record: RestoreRecord, notes: RestoreNotes, now: number): Promise<Restore> {
  const [shards, loaded, leftOut, clusters] = await Promise.all([
    ...([notes.shards(), notes.loaded(), notes.leftOut()] as const),
    record.pointInTime === undefined ? [] : notes.clusters(),
  ]);
  const shardDetails = shards.map((shard) =>
    showShard(
      shard,
      loaded.filter((item) => item.shard === shard.shard),
      leftOut.filter((item) => item.shard === shard.shard),
    ),
  );
  const { plan, startedAt, finishedAt } = record;
  return {
    id: record.id,
    kind: record.pointInTime === undefined ? 'backup' : 'point-in-time',
    backupId: record.backupId ?? null,
    pointInTime: record.pointInTime ?? null,
    state: record.state,
    mode: record.mode,
    dryRun: record.dryRun,
    keys: record.keys,
    shards: record.shards,
    tables: record.tables ?? null,
    tenant: record.tenant ?? null,
    requestedBy: record.requestedBy,
    createdAt: record.createdAt,
    startedAt: startedAt ?? null,
    finishedAt: finishedAt ?? null,
    durationMs:
      startedAt === undefined || finishedAt === undefined
        ? null
        : Date.parse(finishedAt) - Date.parse(startedAt),
    cancelRequested: record.cancelRequested,
    attempts: record.attempts,
    resumableUntil: resumableUntil(record, now),
    safetyBackupId: record.mode === 'replace' && !record.dryRun ? (record.safetyBackupId ?? null) : null,
    progress: progressOf(record, [...shardDetails, ...clusters], loaded, now),
    plan:
      plan === undefined
        ? null
        : {
            ...plan,
            conflicts: shards.flatMap(({ shard, conflicts }) =>
              conflicts.map((problem) => ({ shard, problem })),
            ),
          },
    identical: record.identical ?? null,
    objects: (record.objects ?? []).map(({ key, ...object }) => ({ objectKey: key, ...object })),
    shardDetails,
    components: record.components,
    files: record.components.includes('files') ? await showFiles(notes) : null,
    configuration: record.components.includes('configuration')
      ? ((await notes.configuration()) ?? null)
      : null,
    clusters: showClusters(clusters),
    error: record.error ?? null,
  };
}

/** Conflicts that are listed; `conflictsTotal` counts them all. */
const maxConflicts = 1_000;

async function showFiles(notes: RestoreNotes): Promise<FilesRestore | null> {
  const plan = await notes.filesPlan();
  if (plan === undefined) return null;
  const items = await notes.files();
  const sum = (value: (item: RestoredFiles) => number) =>
    items.reduce((total, item) => total + value(item), 0);
  const conflictsTotal = sum((item) => item.conflictsTotal);
  const [restored, equal] = [sum((item) => item.restored), sum((item) => item.equal)];
  return {
    filesTotal: plan.files,
    bytesTotal: plan.bytes,
    filesDone: restored + equal + conflictsTotal,
    restored,
    equal,
    bytesRestored: sum(({ bytes }) => bytes),
    conflictsTotal,
    conflicts: items.flatMap(({ conflicts }) => conflicts).slice(0, maxConflicts),
  };
}

function resumableUntil({ state, resumableUntil: until = '' }: RestoreRecord, now: number): string | null {
  return state === 'failed' && Date.parse(until) > now ? until : null;
}

function showShard(
  shard: RestoredShard,
  loaded: readonly Loaded[],
  leftOut: readonly LeftOut[],
): ShardRestore {
  const sum = (value: (item: Loaded) => number) => loaded.reduce((total, item) => total + value(item), 0);
  return {
    shard: shard.shard,
    stage: shard.stage,
    database: shard.database,
    keptDatabase: shard.keptDatabase ?? null,
    objectsDone: sum(({ objects }) => objects),
    objectsTotal: shard.objectsTotal,
    rows: sum(({ rows }) => rows),
    bytesRestored: sum(({ bytes }) => bytes),
    tablesCompared: shard.tablesCompared,
    differences: shard.differences,
    leftOut: leftOut.map(({ object, reason, statement }) => ({ object, reason, statement })),
  };
}

function progressOf(
  record: RestoreRecord,
  shards: readonly Pick<ShardRestore, 'stage'>[],
  loaded: readonly Loaded[],
  now: number,
): Restore['progress'] {
  const objectsDone = loaded.reduce((total, item) => total + item.objects, 0);
  const bytesRestored = loaded.reduce((total, item) => total + item.bytes, 0);
  const { objects: objectsTotal, bytes: bytesTotal } = record.plan ?? { objects: null, bytes: null };
  const begun =
    loaded.length === 0 ? undefined : Math.min(...loaded.map(({ startedAt }) => Date.parse(startedAt)));
  const last = Math.max(0, ...loaded.map(({ loadedAt }) => Date.parse(loadedAt)));
  const ended = objectsDone === objectsTotal || record.finishedAt !== undefined;
  const elapsedMs = begun === undefined ? 0 : Math.max(1, (ended ? last : now) - begun);
  const bytesLeft = bytesTotal === null ? null : bytesTotal - bytesRestored;
  return {
    stage: stageOf(record, shards),
    objectsDone,
    objectsTotal,
    bytesRestored,
    bytesTotal,
    bytesPerSecond: elapsedMs === 0 ? 0 : Math.round((bytesRestored * 1000) / elapsedMs),
    etaMs:
      record.state === 'completed'
        ? 0
        : bytesLeft === null || bytesRestored === 0 || record.finishedAt !== undefined
          ? null
          : Math.round((elapsedMs * bytesLeft) / bytesRestored),
  };
}

function stageOf(record: RestoreRecord, shards: readonly Pick<ShardRestore, 'stage'>[]): RestoreStage {
  if (record.state === 'completed') return 'done';
  if (record.swappingAt !== undefined) return 'swap';
  if (shards.length === 0 && record.plan !== undefined) return 'rows';
  const behind = Math.min(...shards.map(({ stage }) => stages.indexOf(stage)));
  return stages[behind] ?? 'planning';
}
