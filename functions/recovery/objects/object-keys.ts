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
