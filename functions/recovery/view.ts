import type { BackupRecord } from './catalog/backup-record.ts';
import type { CheckedWork, OperationRecord } from './catalog/operation-catalog.ts';
import type { ComponentProgress } from './component-progress.ts';
import { toImport } from './import/model.ts';
import type { Backup, BackupSummary, Operation } from './model.ts';
import type { MergedProgress } from './progress.ts';

/** How a backup is shown in a list. */
export function toSummary(record: BackupRecord): BackupSummary {
  const { startedAt, finishedAt } = record;
  return {
    id: record.id,
    state: record.state,
    type: record.type,
    components: record.components,
    references: record.references,
    dependents: record.dependents,
    keepUntil: record.keepUntil ?? null,
    lockedUntil: record.lockedUntil ?? null,
    trigger: record.trigger,
    shards: record.shards,
    tenant: record.tenant ?? null,
    createdAt: record.createdAt,
    startedAt: startedAt ?? null,
    finishedAt: finishedAt ?? null,
    durationMs:
      startedAt === undefined || finishedAt === undefined
        ? null
        : Date.parse(finishedAt) - Date.parse(startedAt),
    sizeBytes: record.sizeBytes ?? null,
    referencedBytes: record.referencedBytes ?? null,
    rows: record.rows ?? null,
    verified: record.manifest !== undefined && (record.verification?.findings ?? 0) === 0,
    verification: record.verification ?? null,
    import: record.import === undefined ? null : toImport(record.import),
    adoptedFrom: record.adopted?.backupId ?? null,
    error: record.error ?? null,
  };
}

/** How a backup is shown by itself, with its progress now or when it ended. */
export function toBackup(
  record: BackupRecord,
  {
    progress,
    shardDetails,
    files = null,
    configuration = null,
  }: Pick<MergedProgress, 'progress' | 'shardDetails'> & Partial<ComponentProgress>,
): Backup {
  return {
    ...toSummary(record),
    requestedBy: record.requestedBy ?? null,
    cancelRequested: record.cancelRequested,
    progress,
    shardDetails,
    files,
    configuration,
    leavesOut: record.leavesOut ?? [],
    skewMs: record.skewMs ?? null,
    manifest: record.manifest ?? null,
  };
}

/** Findings that are listed; `findingsTotal` counts them all. */
const maxFindings = 1_000;

export function toOperation(record: OperationRecord, checked: CheckedWork): Operation {
  return {
    id: record.id,
    kind: record.kind,
    backupId: record.backupId ?? null,
    adoptedFrom: record.adoptedFrom ?? null,
    object: record.object ?? null,
    keys: record.keys,
    state: record.state,
    createdAt: record.createdAt,
    finishedAt: record.finishedAt ?? null,
    progress: {
      objectsDone: checked.objects,
      objectsTotal: record.objectsTotal ?? null,
      bytesRead: checked.storedBytes,
    },
    intact:
      record.state === 'completed' && record.kind.startsWith('verify') ? checked.findings.length === 0 : null,
    findings: checked.findings.slice(0, maxFindings),
    findingsTotal: checked.findings.length,
    result: record.result ?? null,
    reencryption: record.reencryption ?? null,
    error: record.error ?? null,
  };
}
