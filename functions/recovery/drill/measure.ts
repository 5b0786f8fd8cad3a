import type { BackupRecord } from '../catalog/backup-record.ts';
import type { ShardName } from '../ids.ts';
import type { ShardRpo } from './model.ts';

/** The arithmetic of drills. Times are milliseconds since the epoch, durations milliseconds. */

/** What would be lost if all databases were lost at `at`: of each shard, the age of its newest backup. */
export function measureRpo(
  backups: readonly BackupRecord[],
  shards: readonly ShardName[],
  at: number,
): { shards: ShardRpo[]; rpoMs: number | null } {
  const each = shards.map((shard): ShardRpo => {
    let newest: { id: BackupRecord['id']; at: number } | undefined;
    for (const backup of backups) {
      const taken = snapshotOf(backup, shard);
      if (taken !== undefined && taken > (newest?.at ?? Number.NEGATIVE_INFINITY)) {
        newest = { id: backup.id, at: taken };
      }
    }
    if (newest === undefined) return { shard, backupId: null, snapshotAt: null, rpoMs: null };
    return {
      shard,
      backupId: newest.id,
      snapshotAt: new Date(newest.at).toISOString(),
      rpoMs: Math.max(0, at - newest.at),
    };
  });
  const ages = each.map(({ rpoMs }) => rpoMs).filter((age) => age !== null);
  return { shards: each, rpoMs: ages.length < each.length || ages.length === 0 ? null : Math.max(...ages) };
}

/** The instant that a backup holds of a shard; where it is not noted, the backup's start, which is before it. */
export function snapshotOf(backup: BackupRecord, shard: ShardName): number | undefined {
  if (!backup.shards.includes(shard)) return undefined;
  const detail = backup.shardDetails?.find((own) => own.shard === shard);
  const at = Date.parse(detail?.snapshotAt ?? backup.startedAt ?? backup.createdAt);
  return Number.isNaN(at) ? undefined : at;
}

/** When the parts of a restore and its checks were over. What has not come to be is left out. */
export interface Milestones {
  /** The restore was asked for. */
  readonly requestedAt: number;
  /** It was planned. */
  readonly plannedAt?: number | undefined;
  readonly firstRowsAt?: number | undefined;
  readonly lastRowsAt?: number | undefined;
  /** Indexes and constraints are made, every row was read again and compared. */
  readonly comparedAt?: number | undefined;
  /** The last check is over. */
  readonly checkedAt?: number | undefined;
}

export const rtoStages = ['plan', 'schema', 'rows', 'indexes and comparison', 'checks'] as const;
export interface RtoStage {
  readonly stage: (typeof rtoStages)[number];
  readonly durationMs: number;
}

/**
 * How long it took from the request until the restored data was proven, and what the time went into. The stages follow each
 * other without a gap: their sum is the whole. Of several shards at once, a stage is over when the last one is through.
 *
 * @returns no total when the checks have not come to their end.
 */
export function measureRto(milestones: Milestones): { stages: RtoStage[]; rtoMs: number | null } {
  const { requestedAt, plannedAt, firstRowsAt, lastRowsAt, comparedAt, checkedAt } = milestones;
  const ends = [
    plannedAt,
    firstRowsAt ?? lastRowsAt ?? comparedAt,
    lastRowsAt ?? comparedAt,
    comparedAt,
    checkedAt,
  ];
  const stages: RtoStage[] = [];
  let from = requestedAt;
  for (const [index, stage] of rtoStages.entries()) {
    const end = ends[index];
    if (end === undefined) break;
    const to = Math.max(from, end);
    stages.push({ stage, durationMs: to - from });
    from = to;
  }
  return { stages, rtoMs: stages.length === rtoStages.length ? from - requestedAt : null };
}
