import { randomBytes } from 'node:crypto';

/** The version id of what is stored while a bucket is not versioned. */
export const nullVersionId = 'null';

/**
 * A version id as S3 makes them: 32 characters without visible meaning. Inside is the version's
 * sequence, masked by the random rest, so that a listing can go on after a version deleted since.
 */
export function createVersionId(sequence: number): string {
  const bytes = randomBytes(24);
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE(8) ^ BigInt(sequence), 0);
  return bytes.toString('base64url').replaceAll('-', '.');
}

/** The sequence inside a version id, or undefined when it is none of ours. */
export function sequenceOf(versionId: string): number | undefined {
  if (!/^[A-Za-z0-9_.]{32}$/.test(versionId)) return undefined;
  const bytes = Buffer.from(versionId.replaceAll('.', '-'), 'base64url');
  const sequence = bytes.readBigUInt64BE(0) ^ bytes.readBigUInt64BE(8);
  return sequence <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sequence) : undefined;
}

/** Whether this could be a version id at all. */
export function isVersionId(text: string): boolean {
  return text === nullVersionId || sequenceOf(text) !== undefined;
}
