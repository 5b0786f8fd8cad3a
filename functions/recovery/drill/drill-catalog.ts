import type { RecoveryTable } from '../catalog/recovery-table.ts';
import type { Failure } from '../model.ts';
import {
  type CheckNote,
  type ChosenPoint,
  checkNoteSchema,
  type DrillRecord,
  drillRecordSchema,
  type NewDrill,
  type StoredReport,
  storedReportSchema,
} from './drill-record.ts';
import type { DrillId } from './ids.ts';
import type { DrillStage } from './model.ts';

const listPartition = 'DRILLS';
const watchKey = { pk: 'DRILL_WATCH', sk: 'META' };
const checkPrefix = 'CHECK#';
const isActive = '#state IN (:queued, :running)';
const active = { ':queued': 'queued', ':running': 'running' };
/** As long as the reports in the bucket. */
const keepSeconds = 400 * 24 * 60 * 60;

const metaKey = (id: DrillId) => ({ pk: `DRILL#${id}`, sk: 'META' });

/**
 * The drills there were, and the changes of state each may go through: queued → running → completed, failed or canceled.
 * Every change is one conditional write; it answers whether it took place.
 */
export class DrillCatalog {
  readonly #table: RecoveryTable;
  readonly #now: () => number;

  constructor(table: RecoveryTable, now: () => number = Date.now) {
    this.#table = table;
    this.#now = now;
  }

  async get(id: DrillId): Promise<DrillRecord | undefined> {
    const item = await this.#table.get(metaKey(id));
    return item === undefined ? undefined : drillRecordSchema.parse(item);
  }

  /** `false` when a drill of that id exists already. */
  async create(drill: NewDrill): Promise<boolean> {
    return this.#table.put(
      {
        ...metaKey(drill.id),
        ...Object.fromEntries(Object.entries(drill).filter(([, value]) => value !== undefined)),
        state: 'queued',
        cancelRequested: false,
        gsi1pk: listPartition,
        gsi1sk: `${drill.createdAt}#${drill.id}`,
        expiresAt: this.#expiresAt(),
      },
      { expression: 'attribute_not_exists(pk)' },
    );
  }

  /** Remembers which execution works on it, so that it can be stopped. */
  async setExecution(id: DrillId, executionArn: string): Promise<boolean> {
    return this.#table.set(metaKey(id), { executionArn }, { expression: 'attribute_exists(pk)' });
  }

  /** `false` when the drill was canceled or has ended. */
  async start(id: DrillId, values: { executionArn: string; startedAt: string }): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, state: 'running' },
      { expression: `${isActive} AND #cancelRequested = :no`, values: { ...active, ':no': false } },
    );
  }

  /** Notes which backup is restored; what an earlier attempt has chosen stays chosen. */
  async choose(id: DrillId, chosen: ChosenPoint): Promise<boolean> {
    return this.#table.set(metaKey(id), chosen, {
      expression: `${isActive} AND (attribute_not_exists(#backupId) OR #backupId = :chosen)`,
      values: { ...active, ':chosen': chosen.backupId },
    });
  }

  /** `false` when the drill is not at work any more. */
  async setStage(id: DrillId, stage: DrillStage, restoreRequestedAt?: string): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { stage, restoreRequestedAt },
      { expression: isActive, values: active },
    );
  }

  /** `false` when the drill has ended. */
  async requestCancel(id: DrillId): Promise<boolean> {
    return this.#table.set(metaKey(id), { cancelRequested: true }, { expression: isActive, values: active });
  }

  /** `false` when it had ended before. */
  async end(
    id: DrillId,
    state: 'completed' | 'failed' | 'canceled',
    values: { finishedAt: string; rtoMs?: number; report?: DrillRecord['report']; error?: Failure },
  ): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { ...values, state, stage: 'done' },
      { expression: isActive, values: active },
    );
  }

  /**
   * Newest first.
   * @param before the position that the page before ended at.
   */
  async list(limit: number, before?: string): Promise<{ drills: DrillRecord[]; next: string | undefined }> {
    const items = await this.#table.newest(listPartition, limit + 1, before, () => true);
    const page = items.slice(0, limit);
    const last = page.at(-1)?.gsi1sk;
    return {
      drills: page.map((item) => drillRecordSchema.parse(item)),
      next: items.length > limit && typeof last === 'string' ? last : undefined,
    };
  }

  async putCheck(id: DrillId, note: CheckNote): Promise<void> {
    const sk = `${checkPrefix}${note.shard}#${note.check}`;
    await this.#table.put({ pk: metaKey(id).pk, sk, ...note, expiresAt: this.#expiresAt() });
  }

  async checks(id: DrillId): Promise<CheckNote[]> {
    const found: CheckNote[] = [];
    for await (const item of this.#table.query({ pk: metaKey(id).pk, prefix: checkPrefix })) {
      found.push(checkNoteSchema.parse(item));
    }
    return found;
  }

  async putReport(id: DrillId, report: StoredReport): Promise<void> {
    await this.#table.put({ pk: metaKey(id).pk, sk: 'REPORT', ...report, expiresAt: this.#expiresAt() });
  }

  async report(id: DrillId): Promise<StoredReport | undefined> {
    const item = await this.#table.get({ pk: metaKey(id).pk, sk: 'REPORT' });
    return item === undefined ? undefined : storedReportSchema.parse(item);
  }

  /** Notes that a drill was completed, for `lastCompleted`. Milliseconds since the epoch. */
  async noteCompleted(at: number): Promise<void> {
    await this.#table.set(
      watchKey,
      { at },
      { expression: 'attribute_not_exists(#at) OR #at < :at', values: { ':at': at } },
    );
  }

  /** When the latest drill was completed; where none was, when this was asked first. Milliseconds since the epoch. */
  async lastCompleted(): Promise<number> {
    const now = this.#now();
    await this.#table.put({ ...watchKey, at: now }, { expression: 'attribute_not_exists(pk)' });
    const { at } = (await this.#table.get(watchKey)) ?? {};
    return typeof at === 'number' ? at : now;
  }

  #expiresAt(): number {
    return Math.floor(this.#now() / 1000) + keepSeconds;
  }
}
