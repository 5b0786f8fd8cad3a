import type { RestoreNotes } from '../catalog/restore-notes.ts';
import type { RestoreRecord } from '../catalog/restore-record.ts';
import type { CheckNote, DrillRecord } from './drill-record.ts';
import { checkOf } from './gather.ts';
import { restoreOf } from './ids.ts';
import { checkKindSchema, type Drill } from './model.ts';

const maxFindings = 100;

/** Where a drill's report is read. */
export const drillReportPath = (id: string): string => `/api/disaster-recovery/test/${id}/report`;

/** What is known of what a drill has run. */
export interface DrillParts {
  readonly restore: RestoreRecord | undefined;
  readonly notes: RestoreNotes;
  readonly checks: readonly CheckNote[];
}

/** Shows a drill, with the progress of its restore and its checks as they are now. */
export async function showDrill(record: DrillRecord, parts: DrillParts): Promise<Drill> {
  const { restore, checks } = parts;
  const { startedAt, finishedAt, report } = record;
  const loaded = restore === undefined ? [] : await parts.notes.loaded();
  const objectsDone = loaded.reduce((total, { objects }) => total + objects, 0);
  return {
    id: record.id,
    state: record.state,
    trigger: record.trigger,
    restorePoint: record.restorePoint,
    keys: record.keys,
    reuseVerification: record.reuseVerification,
    backupId: record.backupId ?? null,
    restoreId: restore === undefined ? null : restoreOf(record.id),
    shards: record.shards ?? record.wantedShards ?? null,
    requestedBy: record.requestedBy ?? null,
    createdAt: record.createdAt,
    startedAt: startedAt ?? null,
    finishedAt: finishedAt ?? null,
    durationMs:
      startedAt === undefined || finishedAt === undefined
        ? null
        : Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)),
    cancelRequested: record.cancelRequested,
    progress: {
      stage: record.stage,
      objectsDone,
      objectsTotal: restore?.plan?.objects ?? null,
      bytesRestored: loaded.reduce((total, { bytes }) => total + bytes, 0),
      bytesTotal: restore?.plan?.bytes ?? null,
      checksDone: checks.filter(({ finishedAt: at }) => at !== undefined).length,
      checksTotal: record.shards === undefined ? null : record.shards.length * checkKindSchema.options.length,
    },
    rpoMs: record.rpo?.rpoMs ?? null,
    rtoMs: record.rtoMs ?? null,
    verification: record.reuse ?? null,
    checks: checks.map(checkOf),
    findings: checks.flatMap(({ findings }) => findings).slice(0, maxFindings),
    findingsTotal: checks.reduce((total, { findingsTotal }) => total + findingsTotal, 0),
    report: report === undefined ? null : { path: drillReportPath(record.id), ...report },
    error: record.error ?? null,
  };
}
