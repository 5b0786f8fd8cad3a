/**
 * Values that infrastructure, functions and the local runtime have to agree on. Nothing of the CDK
 * is imported here, so that everybody may read it.
 */

/** Major version of PostgreSQL: that of the Aurora clusters, and of the binaries that run locally. */
export const postgresMajor = 18;

/** The master user of new database clusters. Its password is made and kept by RDS. */
export const masterUsername = 'mainstay_master';

/** The roles that functions take in a shard's database; they authenticate with IAM tokens. */
export const databaseUsers = {
  backup: 'mainstay_backup',
  restore: 'mainstay_restore',
  probe: 'mainstay_probe',
  stats: 'mainstay_stats',
  failover: 'mainstay_failover',
  maintain: 'mainstay_maintain',
} as const;

/** The name of a new shard's cluster; its instances and its log group begin with it. */
export const clusterName = (environment: string, shard: string): string => `mainstay-${environment}-${shard}`;

/**
 * How names of clusters begin that a restore to a point in time makes. No shard's name begins with a digit, so no cluster that was
 * deployed is called so.
 */
export const restoredClusterPrefix = (environment: string): string => `${clusterName(environment, '0')}-`;
