import * as z from 'zod';
import { backupIdSchema, type OperationId, operationIdSchema } from '../ids.ts';
import { readingSourceSchema } from '../keys/key-source.ts';
import {
  type Failure,
  failureSchema,
  findingSchema,
  operationKindSchema,
  workStateSchema,
} from '../model.ts';
import { type ReencryptionResult, reencryptionResultSchema } from '../reencryption/model.ts';
import { type StageResult, stageResultSchema } from '../single-stages/model.ts';
import type { RecoveryTable } from './recovery-table.ts';

export const operationRecordSchema = z.object({
  id: operationIdSchema,
  kind: operationKindSchema,
  /** Absent: it is about an object of its own. */
  backupId: backupIdSchema.optional(),
  /** Of an adoption: what the backup is in the vault. */
  adoptedFrom: backupIdSchema.optional(),
  /** Of a single stage. */
  object: z.string().optional(),
  result: stageResultSchema.optional(),
  /** Of a re-encryption or an adoption. */
  reencryption: reencryptionResultSchema.optional(),
  state: workStateSchema,
  /** What it opens the backup with. */
  keys: readingSourceSchema,
  traceparent: z.string(),
  executionArn: z.string().optional(),
  requestedBy: z.string().optional(),
  cancelRequested: z.boolean().default(false),
  createdAt: z.string(),
  /** Of these, set at the point of no return: from then on it is not canceled any more. */
  committingAt: z.string().optional(),
  finishedAt: z.string().optional(),
  objectsTotal: z.number().int().optional(),
  error: failureSchema.optional(),
});
export type OperationRecord = z.output<typeof operationRecordSchema>;

/** What one invocation found out. */
const checkedWorkSchema = z.object({
  objects: z.number().int(),
  storedBytes: z.number(),
  findings: z.array(findingSchema),
});
export type CheckedWork = z.output<typeof checkedWorkSchema>;

/** Whether an operation has not ended yet. */
export const isAtWork = ({ state }: Pick<OperationRecord, 'state'>): boolean =>
  state === 'queued' || state === 'running';

/** Everything about one verification lies in this partition. */
export const operationPartition = (id: OperationId): string => `OPERATION#${id}`;
const metaKey = (id: OperationId) => ({ pk: operationPartition(id), sk: 'META' });
const workPrefix = 'WORK#';
/** The partition of the index that lists them by `createdAt`. */
export const operationList = 'OPERATIONS';

const isActive = '#state IN (:queued, :running)';
const active = { ':queued': 'queued', ':running': 'running' };
const keepSeconds = 90 * 24 * 60 * 60;
/** So many of the newest operations are looked at for ones at work. */
const lookedAt = 200;

/** Verifications of stored backups; what each part of one found is an item of its own. */
export class OperationCatalog {
  readonly #table: RecoveryTable;
  readonly #now: () => number;

  constructor(table: RecoveryTable, now: () => number = Date.now) {
    this.#table = table;
    this.#now = now;
  }

  async get(id: OperationId): Promise<OperationRecord | undefined> {
    const item = await this.#table.get(metaKey(id));
    return item === undefined ? undefined : operationRecordSchema.parse(item);
  }

  async create(
    operation: Omit<OperationRecord, 'state' | 'cancelRequested' | 'keys'> &
      Partial<Pick<OperationRecord, 'keys'>>,
  ): Promise<boolean> {
    return this.#table.put(
      {
        ...metaKey(operation.id),
        ...operation,
        state: 'queued',
        cancelRequested: false,
        gsi1pk: operationList,
        gsi1sk: `${operation.createdAt}#${operation.id}`,
        expiresAt: this.#expiresAt(),
      },
      { expression: 'attribute_not_exists(pk)' },
    );
  }

  async setExecution(id: OperationId, executionArn: string): Promise<boolean> {
    return this.#table.set(metaKey(id), { executionArn }, { expression: 'attribute_exists(pk)' });
  }

  async start(id: OperationId, executionArn: string, objectsTotal: number): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { state: 'running', executionArn, objectsTotal },
      { expression: `${isActive} AND #cancelRequested = :no`, values: { ...active, ':no': false } },
    );
  }

  /** `false` when the operation has ended, or is past its point of no return. */
  async requestCancel(id: OperationId): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { cancelRequested: true },
      { expression: `${isActive} AND attribute_not_exists(#committingAt)`, values: active },
    );
  }

  /** The point of no return; `false` when the operation was canceled or has ended. Asked again it is still so. */
  async beginCommit(id: OperationId, at: string): Promise<boolean> {
    return this.#table.set(
      metaKey(id),
      { committingAt: at },
      {
        expression: '#state = :running AND #cancelRequested = :no',
        values: { ':running': 'running', ':no': false },
      },
    );
  }

  /** Operations at work, among the newest; by the index, which may be a moment old. */
  async atWork(): Promise<OperationRecord[]> {
    const newest = await this.#table.newest(operationList, lookedAt, undefined, () => true);
    return newest.map((item) => operationRecordSchema.parse(item)).filter(isAtWork);
  }

  async end(
    id: OperationId,
    state: 'completed' | 'failed' | 'canceled',
    values: { finishedAt: string; error?: Failure; result?: StageResult; reencryption?: ReencryptionResult },
  ): Promise<boolean> {
    return this.#table.set(metaKey(id), { ...values, state }, { expression: isActive, values: active });
  }

  /** Notes what was found in one part; doing it again replaces the note. `part` is unique within the operation. */
  async note(id: OperationId, part: string, work: CheckedWork): Promise<void> {
    await this.#table.put({
      pk: operationPartition(id),
      sk: `${workPrefix}${part}`,
      ...work,
      expiresAt: this.#expiresAt(),
    });
  }

  /** All that was found so far, and how much has been looked at. */
  async checked(id: OperationId): Promise<CheckedWork> {
    const total: CheckedWork = { objects: 0, storedBytes: 0, findings: [] };
    for await (const item of this.#table.query({ pk: operationPartition(id), prefix: workPrefix })) {
      const work = checkedWorkSchema.parse(item);
      total.objects += work.objects;
      total.storedBytes += work.storedBytes;
      total.findings.push(...work.findings);
    }
    return total;
  }

  #expiresAt(): number {
    return Math.floor(this.#now() / 1000) + keepSeconds;
  }
}
