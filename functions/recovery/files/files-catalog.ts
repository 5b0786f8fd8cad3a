import * as z from 'zod';
import { backupPartition } from '../catalog/backup-catalog.ts';
import { signatureOf } from '../catalog/chunk-catalog.ts';
import { keptFor, workingRecordDays } from '../catalog/kept-for.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import { workObjectSchema } from '../catalog/snapshot-store.ts';
import { type BackupId, backupIdSchema } from '../ids.ts';
import { stageTotalsSchema } from '../model.ts';
import { type StoredObject, storedObjectSchema } from '../workflow.ts';

const count = z.number().int().min(0);

/** Files and their bytes. */
export const tallySchema = z.object({ files: count, bytes: count });
export type Tally = z.output<typeof tallySchema>;

/** How far the backup of the files is. */
export const filesRecordSchema = z.object({
  bucket: z.string(),
  listedAt: z.string(),
  /** The backup whose unchanged files are referred to. */
  parent: backupIdSchema.optional(),
  /** Set when all files are listed. */
  plan: workObjectSchema.optional(),
  items: count.optional(),
  listed: tallySchema.default({ files: 0, bytes: 0 }),
  kept: tallySchema.default({ files: 0, bytes: 0 }),
  /** Set when all files are copied. */
  objects: workObjectSchema.optional(),
  index: storedObjectSchema.optional(),
  indexVerifiedAt: z.string().optional(),
});
export type FilesRecord = z.output<typeof filesRecordSchema>;

/** One copied work item. */
export const filesItemRecordSchema = z.object({
  item: count,
  objects: z.array(storedObjectSchema),
  /** Names exactly these objects. */
  signature: z.string(),
  /** What is known of each file: lines of the index, whose objects are counted within the item. */
  entries: workObjectSchema,
  files: count,
  bytesRead: count,
  bytesStored: count,
  stages: stageTotalsSchema,
  startedAt: z.string(),
  storedAt: z.string(),
  verifiedAt: z.string().optional(),
});
export type FilesItemRecord = z.output<typeof filesItemRecordSchema>;

const filesItemProgressSchema = filesItemRecordSchema.omit({ objects: true, entries: true, signature: true });
export type FilesItemProgress = z.output<typeof filesItemProgressSchema>;

const metaSort = 'FILES#META';
const itemPrefix = 'FILES#ITEM#';
const itemSort = (item: number) => `${itemPrefix}${String(item).padStart(6, '0')}`;

/** Working records of the files of one backup: one item about all, and one for each stored work item. */
export class FilesCatalog {
  readonly #table: RecoveryTable;
  readonly #pk: string;
  readonly #now: () => number;

  constructor(table: RecoveryTable, backupId: BackupId, now: () => number = Date.now) {
    this.#table = table;
    this.#pk = backupPartition(backupId);
    this.#now = now;
  }

  async get(): Promise<FilesRecord | undefined> {
    const item = await this.#table.get({ pk: this.#pk, sk: metaSort });
    return item === undefined ? undefined : filesRecordSchema.parse(item);
  }

  async set(values: Partial<FilesRecord>): Promise<void> {
    await this.#table.set({ pk: this.#pk, sk: metaSort }, { ...values, expiresAt: this.#expiresAt() });
  }

  /** Notes a copied item. A later attempt replaces an earlier one, until one was read back: then `false`. */
  async putItem(record: Omit<FilesItemRecord, 'signature'>): Promise<boolean> {
    return this.#table.put(
      {
        pk: this.#pk,
        sk: itemSort(record.item),
        ...record,
        signature: signatureOf(record.objects),
        expiresAt: this.#expiresAt(),
      },
      { expression: 'attribute_not_exists(pk) OR attribute_not_exists(#verifiedAt)' },
    );
  }

  async getItem(item: number): Promise<FilesItemRecord | undefined> {
    const found = await this.#table.get({ pk: this.#pk, sk: itemSort(item) });
    return found === undefined ? undefined : filesItemRecordSchema.parse(found);
  }

  /** `false` when the record is about other objects by now. */
  async setVerified(item: number, objects: readonly StoredObject[], verifiedAt: string): Promise<boolean> {
    return this.#table.set(
      { pk: this.#pk, sk: itemSort(item) },
      { verifiedAt },
      { expression: '#signature = :signature', values: { ':signature': signatureOf(objects) } },
    );
  }

  /** `false` when the index is another one by now. */
  async setIndexVerified({ key, versionId }: StoredObject, verifiedAt: string): Promise<boolean> {
    const record = await this.get();
    if (record?.index?.key !== key || record.index.versionId !== versionId) return false;
    await this.set({ indexVerifiedAt: verifiedAt });
    return true;
  }

  /** In the order of their numbers. */
  async *items(): AsyncGenerator<FilesItemRecord> {
    for await (const item of this.#table.query({ pk: this.#pk, prefix: itemPrefix })) {
      yield filesItemRecordSchema.parse(item);
    }
  }

  async *itemProgress(): AsyncGenerator<FilesItemProgress> {
    const attributes = Object.keys(filesItemProgressSchema.shape);
    for await (const item of this.#table.query({ pk: this.#pk, prefix: itemPrefix, attributes })) {
      yield filesItemProgressSchema.parse(item);
    }
  }

  #expiresAt(): number {
    return keptFor(workingRecordDays, this.#now());
  }
}
