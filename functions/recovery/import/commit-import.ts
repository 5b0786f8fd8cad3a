import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { type Clock, isoTime } from '../clock.ts';
import { BackupNotRunningError, IncompleteBackupError } from '../errors.ts';
import { type SettleDependencies, settleKeeping, settleLock } from '../expiry/settle-retention.ts';
import type { BackupId } from '../ids.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { ManifestStore, StoredManifest } from '../manifest/manifest-store.ts';
import type { Bucket } from '../objects/bucket.ts';
import { uploadKey, workPrefix } from '../objects/object-keys.ts';
import { removePrefix } from '../objects/remove-prefix.ts';
import { toolVersions } from '../tools.ts';
import type { ImportCatalog, SegmentRecord } from './import-catalog.ts';
import type { ImportSection } from './manifest-section.ts';
import { importProgress } from './progress.ts';

export interface CommitImportDependencies {
  readonly catalog: BackupCatalog;
  readonly imports: ImportCatalog;
  readonly manifests: ManifestStore;
  readonly bucket: Bucket;
  readonly clock: Clock;
  /** The key that wraps the data keys of the segments. */
  readonly keyArn: string;
  readonly settle: SettleDependencies;
  /** Hears why the import is not locked as was asked for: it is good all the same, and stays. */
  readonly onNotLocked: (error: unknown) => void;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
}

/** Kept back to end in order. */
const endMs = 20_000;

/**
 * Makes a backup of the segments that were stored: proves that they are all of the dump, settles for how long it is kept,
 * writes the manifest, locks what is to be locked, and removes the upload and what was stored in between. Doing it again
 * after it was done changes nothing.
 *
 * @throws IncompleteBackupError, BackupNotRunningError, ManifestError: without a manifest written. DependencyError.
 */
export async function commitImport(
  deps: CommitImportDependencies,
  backupId: BackupId,
): Promise<{ record: BackupRecord; manifest: StoredManifest }> {
  const { catalog, imports, clock } = deps;
  const record = await catalog.get(backupId);
  if (record?.import === undefined) throw new BackupNotRunningError(`There is no import ${backupId}.`);
  const segments = await imports.segments();
  const section = assemble(record, segments, await imports.digest());
  await settleKeeping(deps.settle, backupId);
  const committedAt = await catalog.beginCommit(backupId, isoTime(clock.now()));
  if (committedAt === undefined) {
    throw new BackupNotRunningError(`Import ${backupId} is not running any more.`);
  }
  const manifest = await deps.manifests.write(toManifest(record, committedAt, section, deps.keyArn));
  await imports.describe({ ...record.import, sha256: section.sha256 });
  await catalog.complete(backupId, {
    manifest: { key: manifest.key, versionId: manifest.versionId, sha256: manifest.sha256 },
    finishedAt: isoTime(clock.now()),
    skewMs: 0,
    sizeBytes: manifest.manifest.totals.storedBytes,
    rows: 0,
    progress: { ...importProgress(record, segments, clock.now()), stage: 'done', etaMs: 0 },
    shardDetails: [],
  });
  const completed = await catalog.get(backupId);
  if (completed?.state !== 'completed') {
    throw new BackupNotRunningError(`Import ${backupId} is not running any more.`);
  }
  try {
    await settleLock(deps.settle, manifest);
  } catch (error) {
    deps.onNotLocked(error);
    throw error;
  }
  const hasTime = () => deps.remainingMs() > endMs;
  for (const prefix of [uploadKey(backupId), workPrefix(backupId)]) {
    await removePrefix(deps.bucket, prefix, hasTime);
  }
  return { record: completed, manifest };
}

/** Nothing is assumed: every byte of the dump is looked for. */
function assemble(
  { id, import: dump }: BackupRecord,
  segments: readonly SegmentRecord[],
  sha256: string | undefined,
): ImportSection {
  const incomplete = (what: string) => new IncompleteBackupError(`Import ${id} is not complete: ${what}.`);
  if (dump?.sizeBytes === undefined || dump.segments === undefined) throw incomplete('it was not planned');
  const { name, format = 'other', packing = 'none', sizeBytes } = dump;
  if (sha256 === undefined) throw incomplete('the dump was not read to its end');
  if (segments.length !== dump.segments) {
    throw incomplete(`${segments.length} of ${dump.segments} segments are stored`);
  }
  const gap = segments.findIndex(({ index }, position) => index !== position);
  if (gap >= 0) throw incomplete(`segment ${gap} is missing`);
  const bytes = segments.reduce((sum, { object }) => sum + object.plainBytes, 0);
  if (bytes !== sizeBytes) throw incomplete(`${bytes} of ${sizeBytes} bytes are stored`);
  return {
    name,
    format,
    packing,
    sha256,
    sizeBytes,
    segments: segments.map(({ object }) => object),
    segmentSha256: segments.map(({ plainSha256 }) => plainSha256),
  };
}

function toManifest(
  record: BackupRecord,
  committedAt: string,
  section: ImportSection,
  keyArn: string,
): Manifest {
  return {
    format: 'mainstay.backup',
    formatVersion: 1,
    backupId: record.id,
    type: 'import',
    createdAt: record.createdAt,
    committedAt,
    encoding: {
      rows: 'none',
      encryption: 'AWS Encryption SDK message, ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY',
      keyArn,
      settings: {},
    },
    tools: toolVersions,
    shards: [],
    import: section,
    skewMs: 0,
    totals: {
      objects: section.segments.length,
      rows: 0,
      plainBytes: section.sizeBytes,
      storedBytes: section.segments.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    },
  };
}
