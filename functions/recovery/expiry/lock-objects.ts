import {
  GetObjectRetentionCommand,
  type ObjectLockRetentionMode,
  PutObjectRetentionCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import { isoTime } from '../clock.ts';
import type { BackupId } from '../ids.ts';
import type { Bucket, ObjectVersion } from '../objects/bucket.ts';
import { daysAfter } from './calendar.ts';
import { backupOfKey, namedObjects } from './named-objects.ts';
import type { RetentionCatalog } from './retention-catalog.ts';

export type LockMode = 'GOVERNANCE' | 'COMPLIANCE';

/** What locking has to know of a stored manifest. */
export interface CommittedManifest extends ObjectVersion {
  readonly manifest: { readonly backupId: BackupId; readonly committedAt: string };
}

export interface LockDependencies {
  readonly retention: RetentionCatalog;
  readonly bucket: Bucket;
  readonly mode: LockMode;
}

/** Retentions that are read and set at the same time. */
const concurrency = 16;

/**
 * Locks everything that a committed manifest names, and itself: from then on nobody deletes it before its time. Objects
 * of earlier backups are locked longer where their lock ends sooner; no lock is ever shortened. Doing it again
 * changes nothing.
 *
 * The catalogue hears of it first: it may say locked of what is not yet, never the other way round.
 *
 * @param days counted from the commit.
 * @returns until when; an RFC 3339 time in UTC.
 * @throws DependencyError: some objects are not locked yet.
 */
export async function lockObjects(
  { retention, bucket, mode }: LockDependencies,
  stored: CommittedManifest,
  days: number,
): Promise<string> {
  const { manifest } = stored;
  const until = daysAfter(Date.parse(manifest.committedAt), days);
  const objects: ObjectVersion[] = [
    { key: stored.key, versionId: stored.versionId },
    ...namedObjects(manifest),
  ];
  const owners = new Set<BackupId>([manifest.backupId]);
  for (const { key } of objects) {
    const owner = backupOfKey(key);
    if (owner !== undefined) owners.add(owner);
  }
  for (const owner of owners) await retention.raiseLock(owner, isoTime(until));
  await eachOf(objects, (object) => lockObject(bucket, object, mode, new Date(until)));
  return isoTime(until);
}

/**
 * Until when the longest lock of these objects holds, in milliseconds since the epoch; nothing where none is locked or there.
 * @throws DependencyError
 */
export async function latestLock(
  bucket: Bucket,
  objects: readonly ObjectVersion[],
): Promise<number | undefined> {
  let latest: number | undefined;
  await eachOf(objects, async ({ key, versionId }) => {
    const target = { Bucket: bucket.name, Key: key, ...(versionId !== null && { VersionId: versionId }) };
    const retention = await onDependency('S3', `GetObjectRetention ${key}`, () =>
      presentRetention(bucket, target),
    );
    const until = retention?.until?.getTime();
    if (until !== undefined) latest = Math.max(latest ?? until, until);
  });
  return latest;
}

/** Locks one object until then, unless it is for longer. @throws DependencyError */
export async function lockObject(
  bucket: Bucket,
  object: ObjectVersion,
  wanted: LockMode,
  until: Date,
): Promise<void> {
  const { key, versionId } = object;
  const target = { Bucket: bucket.name, Key: key, ...(versionId !== null && { VersionId: versionId }) };
  await onDependency('S3', `PutObjectRetention ${key}`, async () => {
    const present = await presentRetention(bucket, target);
    if (present?.until !== undefined && present.until >= until) return;
    // S3 refuses to turn COMPLIANCE into GOVERNANCE.
    const Mode = present?.mode === 'COMPLIANCE' ? present.mode : wanted;
    await bucket.s3.send(
      new PutObjectRetentionCommand({ ...target, Retention: { Mode, RetainUntilDate: until } }),
    );
  });
}

/** It is not locked, or not there. */
const withoutLock: ReadonlySet<string> = new Set([
  'NoSuchObjectLockConfiguration',
  'NoSuchKey',
  'NoSuchVersion',
]);

async function presentRetention(
  bucket: Bucket,
  target: { Bucket: string; Key: string; VersionId?: string },
): Promise<{ mode: ObjectLockRetentionMode | undefined; until: Date | undefined } | undefined> {
  try {
    const { Retention } = await bucket.s3.send(new GetObjectRetentionCommand(target));
    return { mode: Retention?.Mode, until: Retention?.RetainUntilDate };
  } catch (error) {
    if (error instanceof S3ServiceException && withoutLock.has(error.name)) return undefined;
    throw error;
  }
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
