import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type BackupId, type ShardName, shardNameSchema } from '../ids.ts';
import { findingSchema, stageSchema, stageTotalsSchema } from '../model.ts';
import { type ObjectKind, type StoredObject, shardTargetSchema, storedObjectSchema } from '../workflow.ts';
import { backupPartition } from './backup-catalog.ts';
import { keptFor, workingRecordDays } from './kept-for.ts';
import type { RecoveryTable } from './recovery-table.ts';
import { snapshotOriginSchema, workObjectSchema } from './snapshot-store.ts';

/** How far one shard is, and where its parts are. */
export const shardRecordSchema = z.object({
  shard: shardNameSchema,
  stage: stageSchema.default('planning'),
  target: shardTargetSchema.optional(),
  origin: snapshotOriginSchema.optional(),
  relations: z.number().int().optional(),
  chunksTotal: z.number().int().optional(),
  bytesEstimated: z.number().optional(),
  plan: workObjectSchema.optional(),
  description: workObjectSchema.optional(),
  'pre-data': storedObjectSchema.optional(),
  'post-data': storedObjectSchema.optional(),
  sequences: storedObjectSchema.optional(),
});
export type ShardRecord = z.output<typeof shardRecordSchema>;

/** One stored work item of a shard's plan. */
export const chunkRecordSchema = z.object({
  shard: shardNameSchema,
  item: z.number().int(),
  /** Which snapshot the rows were read from. */
  origin: z.string(),
  objects: z.array(storedObjectSchema),
  /** Names exactly these objects. */
  signature: z.string(),
  rows: z.number().int(),
  bytesRead: z.number().int(),
  bytesStored: z.number().int(),
  /** Of objects of earlier backups that stand for rows that have not changed. */
  bytesReferred: z.number().int().optional(),
  stages: stageTotalsSchema,
  startedAt: z.string(),
  storedAt: z.string(),
  verifiedAt: z.string().optional(),
  /** For each object, of its rows. */
  digests: z.array(z.string()).optional(),
  findings: z.array(findingSchema).optional(),
});
export type ChunkRecord = z.output<typeof chunkRecordSchema>;

/** The part of a chunk's record that progress is made of. */
export const chunkProgressSchema = chunkRecordSchema.pick({
  shard: true,
  rows: true,
  bytesRead: true,
  bytesStored: true,
  bytesReferred: true,
  stages: true,
  startedAt: true,
  storedAt: true,
  verifiedAt: true,
});
export type ChunkProgress = z.output<typeof chunkProgressSchema>;

/** Names a list of objects, down to their versions and bytes. */
export function signatureOf(objects: readonly StoredObject[]): string {
  const named = objects.map(({ key, versionId, sha256 }) => [key, versionId, sha256]);
  return createHash('sha256').update(JSON.stringify(named)).digest('hex');
}

const shardPrefix = 'SHARD#';
const chunkPrefix = 'CHUNK#';
const chunkSort = (shard: ShardName, item: number) =>
  `${chunkPrefix}${shard}#${String(item).padStart(6, '0')}`;

/**
 * The parts of one backup: an item per shard and one per stored chunk. Nothing counts up; whoever wants totals merges
 * the items, so that doing a step twice changes nothing.
 */
export class ChunkCatalog {
  readonly #table: RecoveryTable;
  readonly #pk: string;
  readonly #now: () => number;

  constructor(table: RecoveryTable, backupId: BackupId, now: () => number = Date.now) {
    this.#table = table;
    this.#pk = backupPartition(backupId);
    this.#now = now;
  }

  async setShard(shard: ShardName, values: Partial<ShardRecord>): Promise<void> {
    await this.#table.set(
      { pk: this.#pk, sk: `${shardPrefix}${shard}` },
      { ...values, shard, expiresAt: this.#expiresAt() },
    );
  }

  async setSchemaObject(
    shard: ShardName,
    kind: Exclude<ObjectKind, 'rows'>,
    object: StoredObject,
  ): Promise<void> {
    await this.setShard(shard, { [kind]: object });
  }

  async shards(): Promise<ShardRecord[]> {
    const records: ShardRecord[] = [];
    for await (const item of this.#table.query({ pk: this.#pk, prefix: shardPrefix })) {
      records.push(shardRecordSchema.parse(item));
    }
    return records;
  }

  /**
   * Notes a stored chunk. A later attempt replaces an earlier one, until one was read back.
   * `false`: one was, and this attempt came late.
   */
  async putChunk(chunk: Omit<ChunkRecord, 'signature'>): Promise<boolean> {
    return this.#table.put(
      {
        pk: this.#pk,
        sk: chunkSort(chunk.shard, chunk.item),
        ...chunk,
        signature: signatureOf(chunk.objects),
        expiresAt: this.#expiresAt(),
      },
      { expression: 'attribute_not_exists(pk) OR attribute_not_exists(#verifiedAt)' },
    );
  }

  async getChunk(shard: ShardName, item: number): Promise<ChunkRecord | undefined> {
    const found = await this.#table.get({ pk: this.#pk, sk: chunkSort(shard, item) });
    return found === undefined ? undefined : chunkRecordSchema.parse(found);
  }

  /** Notes what reading the objects back gave; `false` when the record is about other objects by now. */
  async setVerified(
    shard: ShardName,
    item: number,
    objects: readonly StoredObject[],
    result: Pick<ChunkRecord, 'verifiedAt' | 'digests' | 'findings'>,
  ): Promise<boolean> {
    return this.#table.set(
      { pk: this.#pk, sk: chunkSort(shard, item) },
      { ...result },
      { expression: '#signature = :signature', values: { ':signature': signatureOf(objects) } },
    );
  }

  async *chunks(): AsyncGenerator<ChunkRecord> {
    for await (const item of this.#table.query({ pk: this.#pk, prefix: chunkPrefix })) {
      yield chunkRecordSchema.parse(item);
    }
  }

  async *chunkProgress(): AsyncGenerator<ChunkProgress> {
    const attributes = Object.keys(chunkProgressSchema.shape);
    for await (const item of this.#table.query({ pk: this.#pk, prefix: chunkPrefix, attributes })) {
      yield chunkProgressSchema.parse(item);
    }
  }

  /** Removes the working records of the backup; its own record stays. */
  async removeAll(): Promise<void> {
    for await (const item of this.#table.query({ pk: this.#pk, attributes: ['pk', 'sk'] })) {
      const sk = String(item.sk);
      if (sk !== 'META') await this.#table.delete({ pk: this.#pk, sk });
    }
  }

  #expiresAt(): number {
    return keptFor(workingRecordDays, this.#now());
  }
}
