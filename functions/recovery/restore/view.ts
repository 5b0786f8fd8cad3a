import type { RestoreNotes } from '../catalog/restore-notes.ts';
import type { Loaded, RestoredShard, RestoreRecord } from '../catalog/restore-record.ts';
import type { LeftOut, Restore, RestoreStage, ShardRestore } from './model.ts';
import { restoreStageSchema } from './model.ts';

const stages = restoreStageSchema.options;

/** Shows a restore, with its progress merged from the notes of its parts as they are now. */
export async function showRestore(record: RestoreRecord, notes: RestoreNotes, now: number): Promise<Restore> {
  const [shards, loaded, leftOut] = await Promise.all([notes.shards(), notes.loaded(), notes.leftOut()]);
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
    backupId: record.backupId,
    state: record.state,
    mode: record.mode,
    dryRun: record.dryRun,
    shards: record.shards,
    tables: record.tables ?? null,
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
    progress: progressOf(record, shardDetails, loaded, now),
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
    shardDetails,
    error: record.error ?? null,
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
  shards: readonly ShardRestore[],
  loaded: readonly Loaded[],
  now: number,
): Restore['progress'] {
  const objectsDone = shards.reduce((total, shard) => total + shard.objectsDone, 0);
  const bytesRestored = shards.reduce((total, shard) => total + shard.bytesRestored, 0);
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

function stageOf(record: RestoreRecord, shards: readonly ShardRestore[]): RestoreStage {
  if (record.state === 'completed') return 'done';
  if (record.swappingAt !== undefined) return 'swap';
  const behind = Math.min(...shards.map(({ stage }) => stages.indexOf(stage)));
  return stages[behind] ?? 'planning';
}
