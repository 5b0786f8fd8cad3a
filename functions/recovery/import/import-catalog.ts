import * as z from 'zod';
import { backupPartition } from '../catalog/backup-catalog.ts';
import { keptFor, workingRecordDays } from '../catalog/kept-for.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import type { BackupId } from '../ids.ts';
import { storedObjectSchema } from '../workflow.ts';
import type { ImportRecord } from './model.ts';

const segmentPrefix = 'SEGMENT#';
const sortKey = (index: number): string => `${segmentPrefix}${String(index).padStart(6, '0')}`;

/** One segment of a dump that was stored and read back. */
export const segmentRecordSchema = z.object({
  index: z.number().int().min(0),
  object: storedObjectSchema,
  plainSha256: z.string(),
  startedAt: z.string(),
  verifiedAt: z.string(),
});
export type SegmentRecord = z.output<typeof segmentRecordSchema>;

/** What an import adds to the record of its backup, and its segments, an item each. */
export class ImportCatalog {
  readonly #table: RecoveryTable;
  readonly #pk: string;
  readonly #now: () => number;

  constructor(table: RecoveryTable, id: BackupId, now: () => number = Date.now) {
    this.#table = table;
    this.#pk = backupPartition(id);
    this.#now = now;
  }

  /** Notes what has become known of the dump. */
  async describe(record: ImportRecord): Promise<void> {
    await this.#table.set(
      { pk: this.#pk, sk: 'META' },
      { import: record },
      { expression: 'attribute_exists(pk)' },
    );
  }

  /** Notes a segment that was read back; doing it again replaces the note. */
  async putSegment(segment: SegmentRecord): Promise<void> {
    const expiresAt = keptFor(workingRecordDays, this.#now());
    await this.#table.put({ pk: this.#pk, sk: sortKey(segment.index), ...segment, expiresAt });
  }

  async segments(): Promise<SegmentRecord[]> {
    const found: SegmentRecord[] = [];
    for await (const item of this.#table.query({ pk: this.#pk, prefix: segmentPrefix })) {
      found.push(segmentRecordSchema.parse(item));
    }
    return found;
  }

  /** The SHA-256 of the whole dump, as it was read; nothing before it has been read to its end. */
  async digest(): Promise<string | undefined> {
    const item = await this.#table.get({ pk: this.#pk, sk: 'DIGEST' });
    return typeof item?.sha256 === 'string' ? item.sha256 : undefined;
  }

  async putDigest(sha256: string): Promise<void> {
    const expiresAt = keptFor(workingRecordDays, this.#now());
    await this.#table.put({ pk: this.#pk, sk: 'DIGEST', sha256, expiresAt });
  }
}
