import { createHash } from 'node:crypto';
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import type * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import type { RestoreNotes } from '../catalog/restore-notes.ts';
import { ofBackup, type RestoreOfBackup, type RestoreRecord } from '../catalog/restore-record.ts';
import { type Clock, isoTime } from '../clock.ts';
import {
  DamagedObjectError,
  IncompleteBackupError,
  ManifestError,
  RestoreNotRunningError,
  UnknownBackupError,
} from '../errors.ts';
import { type RestoreId, shardNameSchema } from '../ids.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { restorePrefix, scratchPrefix } from '../objects/object-keys.ts';
import { exists } from '../objects/remove-prefix.ts';
import { readVerified, type VerifyPlace } from '../objects/verify-object.ts';
import { leave } from '../objects/work-objects.ts';
import { completeRestore } from '../restore/complete-restore.ts';
import { estimateMs } from '../restore/estimate.ts';
import type { ImportSection } from './manifest-section.ts';
import { PartUpload } from './part-upload.ts';
import type { plannedImportRestoreSchema, RestoreSegment } from './restore-events.ts';
import { scratchExpiry } from './scratch-expiry.ts';

export interface RestoreImportDependencies {
  readonly restores: RestoreCatalog;
  readonly backups: BackupCatalog;
  readonly notes: RestoreNotes;
  readonly manifests: ManifestStore;
  readonly place: VerifyPlace;
  readonly clock: Clock;
}

type Planned = Omit<z.output<typeof plannedImportRestoreSchema>, 'traceparent'>;
type Target = Planned['target'];

/** The notes of a restore are kept by shard; an import has none. */
const group = shardNameSchema.parse('import');

/**
 * `Plan`: checks the manifest, and begins the object that the dump is put together in.
 *
 * @throws UnknownBackupError, ManifestError, RestoreNotRunningError, DependencyError.
 */
export async function planImportRestore(
  deps: RestoreImportDependencies,
  restoreId: RestoreId,
  executionArn: string,
): Promise<Planned> {
  const { restores, place } = deps;
  const record = await requireRunning(restores, restoreId);
  const section = await readSection(deps, record);
  const { bucket } = place;
  const key = `${scratchPrefix(restoreId)}${section.name}`;
  const items = section.segments.map(
    (object, index): RestoreSegment => ({ index, object, sha256: section.segmentSha256[index] ?? '' }),
  );
  const itemsKey = `${restorePrefix(restoreId)}import/items.json`;
  await leave(bucket, itemsKey, items);
  const plan = {
    objects: items.length,
    rows: 0,
    bytes: section.sizeBytes,
    storedBytes: section.segments.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    estimatedMs: estimateMs(section.sizeBytes, (await restores.list(20)).restores),
  };
  const startedAt = record.startedAt ?? isoTime(deps.clock.now());
  if (!(await restores.start(restoreId, { executionArn, startedAt, plan }))) {
    throw new RestoreNotRunningError(`Restore ${restoreId} was canceled before it began.`);
  }
  const target = record.dryRun ? null : { key, uploadId: await begin(bucket, key) };
  return {
    restoreId,
    backupId: record.backupId,
    dryRun: record.dryRun,
    bucket: bucket.name,
    key: itemsKey,
    target,
  };
}

/**
 * `RestoreSegment`: one segment, decrypted, decompressed and compared with the manifest, as one part of the dump. A part
 * that is not as it should be is never completed.
 *
 * @throws DamagedObjectError naming the stored object; DependencyError.
 */
export async function restoreSegment(
  { notes, place, clock }: Pick<RestoreImportDependencies, 'notes' | 'place' | 'clock'>,
  target: Target,
  { index, object, sha256 }: RestoreSegment,
): Promise<void> {
  if (target === null) return;
  const startedAt = isoTime(clock.now());
  const part = { ...target, partNumber: index + 1, bytes: object.plainBytes };
  const sending = new PartUpload(place.bucket, part);
  const hash = createHash('sha256');
  let etag: string;
  try {
    const { problem } = await readVerified(place, object, (piece) => {
      hash.update(piece);
      return sending.write(piece);
    });
    const detail = problem?.detail ?? (hash.digest('hex') === sha256 ? undefined : 'Its content is another.');
    if (detail !== undefined) throw new DamagedObjectError(`${object.key}: ${detail}`);
    etag = await sending.finish();
  } catch (error) {
    await sending.abort();
    throw error;
  }
  await notes.putLoaded({
    shard: group,
    item: index,
    objects: 1,
    rows: 0,
    bytes: object.plainBytes,
    startedAt,
    loadedAt: isoTime(clock.now()),
    part: { uploadId: target.uploadId, etag },
  });
}

/**
 * `Complete`: makes one object of the parts, and ends the restore. Doing it again changes nothing.
 *
 * @throws IncompleteBackupError, RestoreNotRunningError, DependencyError.
 */
export async function completeImportRestore(
  deps: RestoreImportDependencies,
  restoreId: RestoreId,
  target: Target,
): Promise<{ record: RestoreRecord; first: boolean }> {
  const { restores, notes, clock } = deps;
  if (target !== null) {
    const record = await restores.get(restoreId);
    if (record?.objects === undefined) {
      const section = await readSection(deps, await requireRunning(restores, restoreId));
      await assemble(deps, target, section.segments.length);
      await restores.setObjects(restoreId, [
        {
          key: target.key,
          sizeBytes: section.sizeBytes,
          sha256: section.sha256,
          expiresAt: isoTime(scratchExpiry(clock.now())),
        },
      ]);
    }
  }
  return completeRestore({ restores, notes, clock }, restoreId);
}

async function assemble(
  { notes, place: { bucket } }: RestoreImportDependencies,
  target: NonNullable<Target>,
  expected: number,
): Promise<void> {
  const loaded = await notes.loaded();
  const parts = loaded
    .flatMap(({ item, part }) =>
      part?.uploadId === target.uploadId ? [{ PartNumber: item + 1, ETag: part.etag }] : [],
    )
    .sort((a, b) => a.PartNumber - b.PartNumber);
  if (parts.length !== expected) {
    throw new IncompleteBackupError(`${parts.length} of ${expected} segments are restored.`);
  }
  const whole = { Bucket: bucket.name, Key: target.key, UploadId: target.uploadId };
  await onDependency('S3', `CompleteMultipartUpload ${target.key}`, async () => {
    try {
      await bucket.s3.send(
        new CompleteMultipartUploadCommand({ ...whole, MultipartUpload: { Parts: parts } }),
      );
    } catch (error) {
      // An attempt before this one may have been heard by S3 and not by us.
      if (!(await exists(bucket, target.key))) throw error;
    }
  });
}

async function begin({ s3, name }: VerifyPlace['bucket'], key: string): Promise<string> {
  const { UploadId } = await onDependency('S3', `CreateMultipartUpload ${key}`, () =>
    s3.send(
      new CreateMultipartUploadCommand({ Bucket: name, Key: key, ContentType: 'application/octet-stream' }),
    ),
  );
  return UploadId ?? '';
}

async function requireRunning(restores: RestoreCatalog, restoreId: RestoreId): Promise<RestoreOfBackup> {
  const record = ofBackup(await restores.get(restoreId));
  if (record === undefined || (record.state !== 'queued' && record.state !== 'running')) {
    throw new RestoreNotRunningError(`Restore ${restoreId} is not running any more.`);
  }
  return record;
}

async function readSection(
  { backups, manifests }: RestoreImportDependencies,
  { backupId }: RestoreOfBackup,
): Promise<ImportSection> {
  const backup = await backups.get(backupId);
  if (backup?.state !== 'completed' || backup.manifest === undefined) {
    throw new UnknownBackupError(`There is no complete backup ${backupId}.`);
  }
  const stored = await manifests.read(backupId, backup.manifest.versionId);
  if (stored === undefined) throw new ManifestError(`The manifest of ${backupId} is missing.`);
  if (stored.sha256 !== backup.manifest.sha256) {
    throw new ManifestError('The manifest is authentic, but it is not the one that was committed.');
  }
  const section = stored.manifest.import;
  if (section === undefined) throw new ManifestError(`${backupId} is not an import.`);
  return section;
}
