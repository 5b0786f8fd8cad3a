import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import type { RestoreNotes } from '../catalog/restore-notes.ts';
import type { Loaded, RestoreRecord } from '../catalog/restore-record.ts';
import type { Failure } from '../model.ts';
import type { DrillCatalog } from './drill-catalog.ts';
import type { CheckNote, DrillRecord } from './drill-record.ts';
import { restoreOf, scratchName } from './ids.ts';
import { type Milestones, measureRto, type RtoStage } from './measure.ts';
import { checkKindSchema, type DrillFinding } from './model.ts';
import { type DrillReport, isMet } from './report.ts';

export interface GatherDependencies {
  readonly drills: DrillCatalog;
  readonly restores: RestoreCatalog;
  readonly notes: RestoreNotes;
}

/** All that is known of a drill and of what it has run. */
export interface Gathered {
  readonly record: DrillRecord;
  readonly restore: RestoreRecord | undefined;
  readonly restoreReport: DrillReport['restore'];
  readonly checks: readonly CheckNote[];
  readonly findings: DrillFinding[];
  readonly rto: { readonly stages: RtoStage[]; readonly rtoMs: number | null };
}

const maxFindings = 100;
const maxLeftOut = 50;

/** Whether every check of every shard has come to its end. */
export function checksComplete({ shards = [] }: DrillRecord, checks: readonly CheckNote[]): boolean {
  const done = checks.filter(({ finishedAt }) => finishedAt !== undefined);
  return shards.every((shard) =>
    checkKindSchema.options.every((kind) => done.some((note) => note.shard === shard && note.check === kind)),
  );
}

export async function gather(deps: GatherDependencies, record: DrillRecord): Promise<Gathered> {
  const [restore, shards, loaded, leftOut, checks] = await Promise.all([
    deps.restores.get(restoreOf(record.id)),
    deps.notes.shards(),
    deps.notes.loaded(),
    deps.notes.leftOut(),
    deps.drills.checks(record.id),
  ]);
  const sum = (value: (item: Loaded) => number) => loaded.reduce((total, item) => total + value(item), 0);
  return {
    ...{ record, restore, checks },
    restoreReport:
      restore === undefined
        ? null
        : {
            restoreId: restore.id,
            state: restore.state,
            identical: restore.identical ?? null,
            objects: sum(({ objects }) => objects),
            rows: sum(({ rows }) => rows),
            bytes: sum(({ bytes }) => bytes),
            tablesCompared: shards.reduce((total, { tablesCompared }) => total + tablesCompared, 0),
            database: restore.database ?? scratchName(record.id),
            leftOut: leftOut.slice(0, maxLeftOut).map(({ shard, object, reason }) => ({
              shard,
              object: object.slice(0, 200),
              reason: reason.slice(0, 300),
            })),
            leftOutTotal: leftOut.length,
          },
    findings: checks.flatMap(({ findings }) => findings).slice(0, maxFindings),
    rto: measureRto(milestonesOf(record, restore, loaded, checks)),
  };
}

function milestonesOf(
  record: DrillRecord,
  restore: RestoreRecord | undefined,
  loaded: readonly Loaded[],
  checks: readonly CheckNote[],
): Milestones {
  const first = loaded.map(({ startedAt }) => Date.parse(startedAt));
  const last = loaded.map(({ loadedAt }) => Date.parse(loadedAt));
  const ends = checks.flatMap(({ finishedAt }) => (finishedAt === undefined ? [] : [Date.parse(finishedAt)]));
  const compared = restore?.state === 'completed' ? Date.parse(restore.finishedAt ?? '') : undefined;
  return {
    requestedAt: Date.parse(record.restoreRequestedAt ?? record.createdAt),
    plannedAt: restore?.startedAt === undefined ? undefined : Date.parse(restore.startedAt),
    firstRowsAt: first.length === 0 ? undefined : Math.min(...first),
    lastRowsAt: last.length === 0 || compared === undefined ? undefined : Math.max(...last),
    comparedAt: compared,
    checkedAt:
      compared !== undefined && ends.length > 0 && checksComplete(record, checks)
        ? Math.max(...ends)
        : undefined,
  };
}

export interface ReportOptions {
  readonly outcome: DrillReport['outcome'];
  readonly finishedAt: string;
  readonly removed: boolean;
  readonly error: Failure | undefined;
  readonly rpoTargetMs: number;
  readonly rtoTargetMs: number;
}

/** The report of a drill from what is known of it. */
export function reportOf(
  { record, restoreReport, checks, findings, rto }: Gathered,
  options: ReportOptions,
): DrillReport {
  const { rpo, backupId, backupCreatedAt } = record;
  const startedAt = record.startedAt ?? record.createdAt;
  const rpoMs = rpo?.rpoMs ?? null;
  return {
    format: 'mainstay.drill',
    formatVersion: 1,
    drillId: record.id,
    outcome: options.outcome,
    trigger: record.trigger,
    requestedBy: record.requestedBy ?? null,
    createdAt: record.createdAt,
    startedAt: record.startedAt ?? null,
    finishedAt: options.finishedAt,
    restorePoint: record.restorePoint,
    keys: record.keys,
    backup:
      backupId === undefined || backupCreatedAt === undefined
        ? null
        : {
            backupId,
            createdAt: backupCreatedAt,
            ageMs: Math.max(0, Date.parse(startedAt) - Date.parse(backupCreatedAt)),
          },
    rpo: {
      targetMs: options.rpoTargetMs,
      measuredMs: rpoMs,
      met: isMet(rpoMs, options.rpoTargetMs),
      shards: rpo?.shards ?? [],
    },
    rto: {
      targetMs: options.rtoTargetMs,
      measuredMs: rto.rtoMs,
      met: isMet(rto.rtoMs, options.rtoTargetMs),
      stages: rto.stages,
    },
    verification: record.reuse ?? null,
    restore: restoreReport,
    checks: checks.map(checkOf),
    findings,
    findingsTotal: checks.reduce((total, { findingsTotal }) => total + findingsTotal, 0),
    scratchDatabases: options.removed ? 'removed' : 'to be removed',
    error: options.error ?? null,
  };
}

/** A check as it is shown. */
export const checkOf = ({ shard, check, done, findingsTotal, durationMs }: CheckNote) => ({
  ...{ shard, check, durationMs },
  checked: done,
  findings: findingsTotal,
});
