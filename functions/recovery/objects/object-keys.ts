import type { BackupId, OperationId, RestoreId, ShardName } from '../ids.ts';
import type { Compression } from '../stages/compress.ts';
import type { ObjectKind } from '../workflow.ts';

/** Everything of one backup lies below this. */
export const backupPrefix = (id: BackupId): string => `backups/${id}/`;

/** Written last: a backup exists when its manifest does. */
export const manifestKey = (id: BackupId): string => `${backupPrefix(id)}manifest.json`;

/** The work items of a shard, for the distributed Map. */
export const planKey = (id: BackupId, shard: ShardName): string => `${backupPrefix(id)}${shard}/plan.json`;

/** What is known of a shard's tables at its instant. */
export const shardDescriptionKey = (id: BackupId, shard: ShardName): string =>
  `${backupPrefix(id)}${shard}/shard.json`;

/** The work items of a verification run. */
export const verificationKey = (id: OperationId): string => `verifications/${id}/items.json`;

/** What the functions of a restore hand to each other lies below this. */
export const restorePrefix = (id: RestoreId): string => `restores/${id}/`;

/** What is restored of a shard, the work items of its rows, and those of their comparison. */
export const restoreKey = (id: RestoreId, shard: ShardName, what: 'plan' | 'items' | 'comparison'): string =>
  `${restorePrefix(id)}${shard}/${what}.json`;

/** What is uploaded to be imported. */
export const uploadKey = (id: BackupId): string => `uploads/${id}`;

/** What the states of an import hand to each other lies below this. */
export const workPrefix = (id: BackupId): string => `work/${id}/`;

/** What is restored of an import, and what single stages make, lies below this for a day. */
export const scratchPrefix = (id: RestoreId | OperationId): string => `scratch/${id}/`;

/** Six digits, so that keys sort as their numbers do. */
export const partNumber = (index: number): string => String(index).padStart(6, '0');

/** What a state of an import leaves of one segment. */
export const segmentWorkKey = (id: BackupId, index: number, what: 'compressed' | 'encrypted'): string =>
  `${workPrefix(id)}${partNumber(index)}.${what}`;

/** Part of an imported dump; every attempt has a name of its own. */
export function segmentKey(
  id: BackupId,
  index: number,
  attempt: string,
  compression: Compression['format'] | 'none',
): string {
  const suffix = compression === 'none' ? 'part' : `part.${extension[compression]}`;
  return `${backupPrefix(id)}import/${partNumber(index)}-${attempt}.${suffix}.enc`;
}

const extension = { zstd: 'zst', gzip: 'gz' } as const;

/**
 * Part of a table. Every attempt has a name of its own: the version that a manifest names is never one that
 * a later attempt has made noncurrent.
 */
export function rowsKey(
  id: BackupId,
  shard: ShardName,
  part: { item: number; index: number; attempt: string },
  format: Compression['format'],
): string {
  const item = String(part.item).padStart(6, '0');
  const index = String(part.index).padStart(3, '0');
  return `${backupPrefix(id)}${shard}/rows/${item}-${index}-${part.attempt}.copy.${extension[format]}.enc`;
}

/** DDL or sequence values of a shard. */
export function schemaKey(
  id: BackupId,
  shard: ShardName,
  kind: Exclude<ObjectKind, 'rows'>,
  attempt: string,
  format: Compression['format'],
): string {
  const suffix = kind === 'sequences' ? 'json' : 'sql';
  return `${backupPrefix(id)}${shard}/schema/${kind}-${attempt}.${suffix}.${extension[format]}.enc`;
}

/** What an operation stores that re-encrypts a backup lies below this. */
export const reencryptedPrefix = (id: BackupId, operation: OperationId): string =>
  `${backupPrefix(id)}reencrypted/${operation}/`;

/** An object of a backup under other keys; it ends as the one did that it stands for, and every attempt has a name of its own. */
export function reencryptedKey(
  id: BackupId,
  operation: OperationId,
  part: { index: number; attempt: string },
  key: string,
): string {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const dot = name.indexOf('.');
  const suffix = dot < 0 ? '' : name.slice(dot);
  return `${reencryptedPrefix(id, operation)}${partNumber(part.index)}-${part.attempt}${suffix}`;
}

/** The report of a drill. */
export const drillReportKey = (id: string, extension: 'json' | 'md'): string =>
  `drills/${id}/report.${extension}`;
