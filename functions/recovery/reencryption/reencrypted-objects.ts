import * as z from 'zod';
import { operationPartition } from '../catalog/operation-catalog.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import type { OperationId } from '../ids.ts';
import type { ObjectVersion } from '../objects/bucket.ts';
import { partNumber } from '../objects/object-keys.ts';
import { type StoredObject, storedObjectSchema } from '../workflow.ts';

const prefix = 'OBJECT#';
const keepSeconds = 90 * 24 * 60 * 60;

const noteSchema = z.object({
  from: z.object({ key: z.string(), versionId: z.string().nullable(), sha256: z.string() }),
  object: storedObjectSchema,
});
/** An object that was stored anew and read back, and what it stands for. */
export type ReencryptedObject = z.output<typeof noteSchema>;

/** What an operation has re-encrypted so far, an item for each object. */
export class ReencryptedObjects {
  readonly #table: RecoveryTable;
  readonly #pk: string;
  readonly #now: () => number;

  constructor(table: RecoveryTable, operation: OperationId, now: () => number = Date.now) {
    this.#table = table;
    this.#pk = operationPartition(operation);
    this.#now = now;
  }

  /** Notes one; a later attempt replaces an earlier one. */
  async put(index: number, from: StoredObject, object: StoredObject): Promise<void> {
    const { key, versionId, sha256 } = from;
    await this.#table.put({
      pk: this.#pk,
      sk: `${prefix}${partNumber(index)}`,
      from: { key, versionId, sha256 },
      object,
      expiresAt: Math.floor(this.#now() / 1000) + keepSeconds,
    });
  }

  async get(index: number): Promise<ReencryptedObject | undefined> {
    const item = await this.#table.get({ pk: this.#pk, sk: `${prefix}${partNumber(index)}` });
    return item === undefined ? undefined : noteSchema.parse(item);
  }

  async *all(): AsyncGenerator<ReencryptedObject> {
    for await (const item of this.#table.query({ pk: this.#pk, prefix })) yield noteSchema.parse(item);
  }
}

/** Whether a note is about that object. */
export const standsFor = (
  { from }: ReencryptedObject,
  { key, versionId, sha256 }: ObjectVersion & Pick<StoredObject, 'sha256'>,
): boolean => from.key === key && from.versionId === versionId && from.sha256 === sha256;
