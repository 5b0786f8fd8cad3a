import type { Bucket, LifecycleRule, StoredVersion, VersionEntry } from '../model.ts';
import { endOfPrefix } from './listing.ts';
import { abortUpload } from './multipart.ts';
import { isLocked } from './object-lock.ts';
import type { Cause, ObjectStore } from './object-store.ts';

const day = 24 * 60 * 60 * 1000;
/** Keys looked at in one go, between two turns of the event loop. */
const batchKeys = 500;

/** What one run of the lifecycle rules did. */
export interface LifecycleResult {
  expired: number;
  noncurrentRemoved: number;
  deleteMarkersRemoved: number;
  uploadsAborted: number;
  transitioned: number;
}

/**
 * Applies every bucket's lifecycle rules as of `now`. As on AWS an age in days is counted to the next
 * midnight UTC, versions under Object Lock stay, and of several rules the earliest takes effect.
 */
export async function applyLifecycle(store: ObjectStore, now: number): Promise<LifecycleResult> {
  const result: LifecycleResult = {
    expired: 0,
    noncurrentRemoved: 0,
    deleteMarkersRemoved: 0,
    uploadsAborted: 0,
    transitioned: 0,
  };
  for (const bucket of store.buckets.list()) {
    const rules = (bucket.lifecycle ?? []).filter((rule) => rule.enabled);
    for (const rule of rules) {
      result.uploadsAborted += abortIncomplete(store, bucket, rule, now);
      await forEachKey(store, bucket, rule.prefix ?? '', (versions) =>
        applyToKey(store, bucket, rule, versions, now, result),
      );
    }
  }
  return result;
}

/** The instant from which something of `since` is `days` old in the sense of lifecycle rules. */
export function dueAt(since: number, days: number): number {
  return Math.ceil((since + days * day) / day) * day;
}

function abortIncomplete(store: ObjectStore, bucket: Bucket, rule: LifecycleRule, now: number): number {
  const days = rule.abortIncompleteMultipartUpload?.daysAfterInitiation;
  if (days === undefined) return 0;
  const prefix = Buffer.from(rule.prefix ?? '');
  const due = [...store.uploads.list(bucket.name, prefix, endOfPrefix(prefix))].filter(
    (upload) => dueAt(upload.createdAt, days) <= now,
  );
  for (const upload of due) abortUpload(store, bucket.name, upload.key, upload.uploadId);
  return due.length;
}

/** Calls `visit` with all versions of each key, from new to old; rows are read before any is changed. */
async function forEachKey(
  store: ObjectStore,
  bucket: Bucket,
  prefix: string,
  visit: (versions: VersionEntry[]) => void,
): Promise<void> {
  const end = endOfPrefix(Buffer.from(prefix));
  let from: Buffer | undefined = Buffer.from(prefix);
  while (from) {
    const keys = new Map<string, VersionEntry[]>();
    let next: Buffer | undefined;
    for (const entry of store.versions.versions(bucket.name, from, end)) {
      const known = keys.get(entry.key);
      if (known) known.push(entry);
      else if (keys.size < batchKeys) keys.set(entry.key, [entry]);
      else {
        next = Buffer.from(entry.key);
        break;
      }
    }
    store.database.transaction(() => {
      for (const versions of keys.values()) visit(versions);
    });
    from = next;
    if (from) await new Promise((resolve) => setImmediate(resolve));
  }
}

function applyToKey(
  store: ObjectStore,
  bucket: Bucket,
  rule: LifecycleRule,
  versions: VersionEntry[],
  now: number,
  result: LifecycleResult,
): void {
  const [latest] = versions;
  if (!latest) return;
  const cause: Cause = {
    reason: 'Lifecycle Expiration',
    requestId: 'lifecycle',
    requester: 's3.amazonaws.com',
  };
  const remaining = removeNoncurrent(store, bucket, rule, versions, now, cause, result);
  if (latest.deleteMarker) {
    if (remaining === 1 && markerExpires(rule, latest, now)) {
      store.delete(bucket.name, latest.key, { versionId: latest.versionId, cause });
      result.deleteMarkersRemoved++;
    }
    return;
  }
  const version = matching(store, rule, latest);
  if (!version) return;
  if (isDue(rule.expiration, version.createdAt, now)) {
    if (bucket.versioning || !isLocked(version.attributes, now, false)) {
      store.delete(bucket.name, version.key, { cause });
      result.expired++;
    }
    return;
  }
  transition(store, version, rule.transitions ?? [], (step) => isDue(step, version.createdAt, now), result);
}

/** Applies what the rule says of old versions. @returns how many versions the key is left with. */
function removeNoncurrent(
  store: ObjectStore,
  bucket: Bucket,
  rule: LifecycleRule,
  versions: readonly VersionEntry[],
  now: number,
  cause: Cause,
  result: LifecycleResult,
): number {
  let remaining = versions.length;
  const expiration = rule.noncurrentVersionExpiration;
  for (const [index, entry] of versions.entries()) {
    const successor = versions[index - 1];
    if (!successor) continue;
    // A version became noncurrent when the next newer one was stored.
    const noncurrentFor = (days: number) => dueAt(successor.createdAt, days) <= now;
    // Newer noncurrent versions than this one: all but the current.
    const newer = index - 1;
    const version = matching(store, rule, entry);
    if (!version) continue;
    const expires =
      expiration !== undefined &&
      newer >= (expiration.newerNoncurrentVersions ?? 0) &&
      noncurrentFor(expiration.noncurrentDays) &&
      !isLocked(version.attributes, now, false);
    if (expires) {
      store.delete(bucket.name, version.key, { versionId: version.versionId, cause });
      result.noncurrentRemoved++;
      remaining--;
    } else if (!version.deleteMarker) {
      const steps = rule.noncurrentVersionTransitions ?? [];
      const isStepDue = (step: (typeof steps)[number]) =>
        newer >= (step.newerNoncurrentVersions ?? 0) && noncurrentFor(step.noncurrentDays);
      transition(store, version, steps, isStepDue, result);
    }
  }
  return remaining;
}

function transition<T extends { storageClass: string }>(
  store: ObjectStore,
  version: StoredVersion,
  steps: readonly T[],
  isStepDue: (step: T) => boolean,
  result: LifecycleResult,
): void {
  const step = steps.filter(isStepDue).at(-1);
  if (!step || step.storageClass === version.storageClass) return;
  store.versions.setStorageClass(version.sequence, step.storageClass);
  result.transitioned++;
}

function isDue(when: { days?: number; date?: string } | undefined, createdAt: number, now: number): boolean {
  if (when?.days !== undefined) return dueAt(createdAt, when.days) <= now;
  return when?.date !== undefined && Date.parse(when.date) <= now;
}

/** A delete marker with nothing behind it goes when the rule says so, or when it is as old as objects may get. */
function markerExpires(rule: LifecycleRule, marker: VersionEntry, now: number): boolean {
  return rule.expiration?.expiredObjectDeleteMarker === true || isDue(rule.expiration, marker.createdAt, now);
}

/** The version, if the rule's filter takes it. */
function matching(store: ObjectStore, rule: LifecycleRule, entry: VersionEntry): StoredVersion | undefined {
  if (rule.sizeGreaterThan !== undefined && entry.size <= rule.sizeGreaterThan) return undefined;
  if (rule.sizeLessThan !== undefined && entry.size >= rule.sizeLessThan) return undefined;
  const version = store.versions.bySequence(entry.sequence);
  const tags = Object.entries(rule.tags ?? {});
  return tags.every(([key, value]) => version?.attributes.tags[key] === value) ? version : undefined;
}
