import { shortOf } from '../../catalog/restore-catalog.ts';
import type { RestoreId, ShardName } from '../../ids.ts';

/** Identifiers of RDS have at most 63 characters; the instance's is eight longer than its cluster's. */
const longest = 63 - '-writer'.length;

/**
 * The cluster that a restore makes of a shard: the same at every try, and no other's.
 *
 * @param prefix what the names of all restored clusters of this deployment begin with. It ends with a hyphen.
 */
export function restoredCluster(prefix: string, shard: ShardName, id: RestoreId): string {
  const suffix = `-${shortOf(id)}`;
  // A cut name must not end with the hyphen that the suffix begins with.
  return prefix + shard.slice(0, longest - prefix.length - suffix.length).replace(/-+$/, '') + suffix;
}

/** The writer of a restored cluster. */
export const restoredWriter = (cluster: string): string => `${cluster}-writer`;
