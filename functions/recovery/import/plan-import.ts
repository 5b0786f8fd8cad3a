import type * as z from 'zod';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { BackupNotRunningError, UploadMismatchError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import type { Bucket, ObjectVersion } from '../objects/bucket.ts';
import { workPrefix } from '../objects/object-keys.ts';
import { leave } from '../objects/work-objects.ts';
import type { planImportEventSchema, planImportResultSchema, SegmentWork } from './events.ts';
import type { ImportCatalog } from './import-catalog.ts';
import { type ImportRecord, segmentBytesOf } from './model.ts';
import { readRange } from './read-range.ts';
import { type Recognised, recognise, sampleBytes } from './recognise.ts';

export interface PlanImportDependencies {
  readonly catalog: BackupCatalog;
  readonly imports: ImportCatalog;
  readonly bucket: Bucket;
  /** Size of a segment of a dump of so many bytes. Default: `segmentBytesOf`. */
  readonly segmentBytes?: (sizeBytes: number) => number;
}

type Planned = Omit<z.output<typeof planImportResultSchema>, 'traceparent'>;

/**
 * Looks at what was uploaded, compares it with what was announced, and divides it into segments.
 *
 * @throws BackupNotRunningError, UploadMismatchError, DependencyError.
 */
export async function planImport(
  deps: PlanImportDependencies,
  { backupId, executionArn, startedAt, input: { upload } }: z.output<typeof planImportEventSchema>,
): Promise<Planned> {
  const { catalog, imports, bucket } = deps;
  const record = await catalog.get(backupId);
  if (record?.import === undefined) throw new BackupNotRunningError(`There is no import ${backupId}.`);
  if (!(await catalog.start(backupId, { executionArn, shards: [], startedAt }))) {
    throw new BackupNotRunningError(`Import ${backupId} was canceled before it began.`);
  }
  const { bytes, head } = await look(bucket, upload);
  const found = recognise(head);
  requireAsAnnounced(record.import, bytes, found);
  const format = found.format === 'other' ? (record.import.announced.format ?? 'other') : found.format;
  const segmentBytes = (deps.segmentBytes ?? segmentBytesOf)(bytes);
  const items = segmentsOf(upload, bytes, segmentBytes, found.packing === 'none');
  await imports.describe({
    ...record.import,
    format,
    packing: found.packing,
    sizeBytes: bytes,
    segments: items.length,
  });
  const { key } = await leave(bucket, planKey(backupId), items);
  return {
    backupId,
    bucket: bucket.name,
    key,
    upload: { ...upload, bytes },
    digest: { done: false, state: null },
  };
}

const planKey = (id: BackupId): string => `${workPrefix(id)}plan.json`;

/** The dump's size, and its beginning. */
async function look(bucket: Bucket, upload: ObjectVersion): Promise<{ bytes: number; head: Buffer }> {
  const found = await bucket.look(upload);
  if (found === undefined) throw new UploadMismatchError('The upload is gone: it is kept for a day.');
  const { bytes } = found;
  if (bytes === 0) throw new UploadMismatchError('The upload is empty.');
  const pieces: Buffer[] = [];
  const start = { from: 0, bytes: Math.min(bytes, sampleBytes) };
  for await (const piece of readRange(bucket, upload, start)) pieces.push(piece);
  return { bytes, head: Buffer.concat(pieces) };
}

function requireAsAnnounced({ announced }: ImportRecord, bytes: number, found: Recognised): void {
  if (announced.sizeBytes !== undefined && announced.sizeBytes !== bytes) {
    throw new UploadMismatchError(`The upload has ${bytes} bytes; ${announced.sizeBytes} were announced.`);
  }
  const { format } = announced;
  if (format === undefined || format === 'other' || found.format === 'other') return;
  if (format !== found.format) {
    throw new UploadMismatchError(`The upload is a dump of the format ${found.format}, not ${format}.`);
  }
}

/** A dump of so many bytes, divided into ranges of one size; the last has the rest. */
export function segmentsOf(
  upload: ObjectVersion,
  bytes: number,
  segmentBytes: number,
  compress: boolean,
): SegmentWork[] {
  return Array.from({ length: Math.ceil(bytes / segmentBytes) }, (_, index) => {
    const from = index * segmentBytes;
    const { key, versionId } = upload;
    return {
      index,
      upload: { key, versionId },
      from,
      bytes: Math.min(segmentBytes, bytes - from),
      compress,
    };
  });
}
