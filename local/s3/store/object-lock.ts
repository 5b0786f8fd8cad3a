import { accessDenied, invalidRequest } from '../errors.ts';
import type { Bucket, ObjectAttributes, Retention } from '../model.ts';

const day = 24 * 60 * 60 * 1000;

/** The retention a new version gets from its bucket, if any. */
export function defaultRetention(bucket: Bucket, now: number): Retention | undefined {
  const rule = bucket.defaultRetention;
  if (!bucket.objectLock || !rule) return undefined;
  if (rule.days !== undefined) return { mode: rule.mode, until: now + rule.days * day };
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + (rule.years ?? 0));
  return { mode: rule.mode, until: until.getTime() };
}

/** Throws unless the bucket was made with Object Lock. */
export function requireObjectLock(bucket: Bucket): void {
  if (!bucket.objectLock) throw invalidRequest('Bucket is missing Object Lock Configuration');
}

/** Whether governance-mode retention is what protects a version, so that a bypass would matter. */
export function isGoverned(attributes: ObjectAttributes, now: number): boolean {
  return attributes.retention?.mode === 'GOVERNANCE' && attributes.retention.until > now;
}

/**
 * Whether a version may not be deleted: a legal hold, compliance mode, or governance mode without
 * `bypassGovernance`.
 */
export function isLocked(attributes: ObjectAttributes, now: number, bypassGovernance: boolean): boolean {
  if (attributes.legalHold) return true;
  if (!attributes.retention || attributes.retention.until <= now) return false;
  return attributes.retention.mode === 'COMPLIANCE' || !bypassGovernance;
}

/** Throws `AccessDenied` for a version that may not be deleted. */
export function requireUnlocked(attributes: ObjectAttributes, now: number, bypassGovernance: boolean): void {
  if (isLocked(attributes, now, bypassGovernance)) {
    throw accessDenied('Access Denied because object protected by object lock.');
  }
}

/**
 * Throws `AccessDenied` where a new retention (undefined: none) would weaken one that is in force:
 * compliance mode can only be prolonged, governance mode only with a bypass be shortened or changed.
 */
export function requireRetentionChange(
  current: Retention | undefined,
  next: Retention | undefined,
  now: number,
  bypassGovernance: boolean,
): void {
  if (!current || current.until <= now) return;
  const weaker = !next || next.until < current.until || isWeakerMode(current, next);
  if (weaker && (current.mode === 'COMPLIANCE' || !bypassGovernance)) {
    throw accessDenied('Access Denied because object protected by object lock.');
  }
}

function isWeakerMode(current: Retention, next: Retention): boolean {
  return current.mode === 'COMPLIANCE' && next.mode === 'GOVERNANCE';
}
