import { ArnFormat, Stack } from 'aws-cdk-lib';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { Shard } from '../stateful/shard.ts';
import type { Recovery, RecoveryProps } from './recovery.ts';

/** Gives each function of the capability what it needs, and nothing more. */
export function grantAll(recovery: Recovery, { settings, stateful, access, events }: RecoveryProps): void {
  const { functions, backups, verifications, restores } = recovery;
  const { tables, keys, shards } = stateful;
  const bucket = stateful.buckets.backups;
  const { backup } = settings.config;

  const { release, 'derive-escrow': _, ...others } = functions;
  for (const fn of Object.values(others)) tables.recovery.grantReadWrite(fn);
  tables.recovery.grant(release, ['dynamodb:PutItem', 'dynamodb:UpdateItem']);

  access.grantGate(functions.api);
  tables.shards.grantRead(functions.api);
  backups.grantRun(functions.api, 'BACKUP_STATE_MACHINE_ARN');
  verifications.grantRun(functions.api, 'VERIFICATION_STATE_MACHINE_ARN');
  restores.grantRun(functions.api, 'RESTORE_STATE_MACHINE_ARN');
  functions.sweep.grantInvoke(functions.api, 'SWEEP_FUNCTION_ARN');
  functions['restore-database'].grantInvoke(functions.api, 'RESTORE_DATABASE_FUNCTION_ARN');

  tables.shards.grantRead(functions.plan);
  grantDescribeShards(functions.plan, shards);

  for (const fn of [functions['hold-snapshot'], functions['dump-schema'], functions['chunk-pipeline']]) {
    bucket.grantWrite(fn);
    keys.grantEncrypt(fn);
    fn.addEnvironment('COMPRESSION', backup.compression);
    fn.addEnvironment('COMPRESSION_LEVEL', String(backup.compressionLevel));
    for (const shard of shards) shard.grantConnect(fn, 'backup');
  }
  if (backup.tenants !== undefined) {
    const { schema, key } = backup.tenants;
    for (const fn of [functions.plan, functions['plan-restore']]) {
      fn.addEnvironment('TENANTS', JSON.stringify(backup.tenants));
    }
    // It looks whether there is such a way only, and its environment has no room for tables.
    const ways = { schema, ...(key && { key: { column: key.column } }) };
    functions.api.addEnvironment('TENANTS', JSON.stringify(ways));
  }
  functions['hold-snapshot'].addEnvironment('HOLD_TERM_SECONDS', String(backup.holdTermSeconds));

  bucket.grantRead(functions['plan-chunks']);
  bucket.grantWrite(functions['plan-chunks']);
  keys.grantMac(functions['plan-chunks'], ['kms:VerifyMac']);
  functions['plan-chunks'].addEnvironment('ENCRYPTION_KEY_ARN', keys.encryption.keyArn);
  functions['plan-chunks'].addEnvironment('CHUNK_TARGET_MIB', String(backup.chunkTargetMiB));

  bucket.grantRead(functions['verify-chunk']);
  keys.grantDecrypt(functions['verify-chunk']);

  bucket.grantRead(functions.commit);
  bucket.grantWrite(functions.commit);
  keys.grantDecrypt(functions.commit);
  keys.grantMac(functions.commit, ['kms:GenerateMac', 'kms:VerifyMac']);
  events.grantPut(functions.commit);
  bucket.grantLock(functions.commit);
  functions.commit.addEnvironment('OBJECT_LOCK_MODE', backup.lockMode);
  for (const fn of [functions.api, functions.commit]) {
    fn.addEnvironment('OBJECT_LOCK_DAYS', String(backup.objectLock?.days ?? 0));
  }

  events.grantPut(functions.conclude);
  functions.sweep.grantInvoke(functions.conclude, 'SWEEP_FUNCTION_ARN');
  functions['restore-database'].grantInvoke(functions.conclude, 'RESTORE_DATABASE_FUNCTION_ARN');

  bucket.grantRead(functions['plan-verification']);
  bucket.grantWrite(functions['plan-verification']);
  keys.grantMac(functions['plan-verification'], ['kms:VerifyMac']);

  bucket.grantRemove(functions.sweep);
  // The manifests of backups that refer to an expired one say what has to stay of it.
  bucket.grantRead(functions.sweep);
  keys.grantMac(functions.sweep, ['kms:VerifyMac']);
  events.grantPut(functions.sweep);
  events.grantPut(functions.expire);

  const planRestore = functions['plan-restore'];
  tables.shards.grantRead(planRestore);
  grantDescribeShards(planRestore, shards);
  bucket.grantRead(planRestore);
  bucket.grantWrite(planRestore);
  keys.grantMac(planRestore, ['kms:VerifyMac']);
  planRestore.addEnvironment('BACKUP_STATE_MACHINE_ARN', backups.arn);

  for (const fn of [functions['restore-database'], functions['restore-rows']]) {
    bucket.grantRead(fn);
    keys.grantDecrypt(fn);
    for (const shard of shards) shard.grantConnect(fn, 'restore');
  }
  bucket.grantWrite(functions['restore-database']);
  tables.shards.grant(functions['restore-database'], ['dynamodb:UpdateItem']);

  bucket.grantRead(functions['conclude-restore']);
  events.grantPut(functions['conclude-restore']);
}

/** Lets a function see which instances the clusters have. */
export function grantDescribeShards(fn: BundledFunction, shards: readonly Shard[]): void {
  const instances = Stack.of(fn).formatArn({
    service: 'rds',
    resource: 'db',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  fn.allow(
    ['rds:DescribeDBClusters'],
    shards.flatMap((shard) => [shard.clusterArn, shard.restoredClusters]),
  );
  acceptRestored(fn, shards);
  fn.allow(['rds:DescribeDBInstances'], [instances]);
  acknowledgeResource(
    fn.policies,
    instances,
    'Instances come and go with failovers and with readers that are added, under names that only the cluster knows. The action reads descriptions and no data.',
  );
}

/** A shard's cluster may be one that was restored, and is found by the name that its entry has. */
export function acceptRestored(fn: BundledFunction, shards: readonly Shard[]): void {
  for (const pattern of new Set(shards.map((shard) => shard.restoredClusters))) {
    acknowledgeResource(
      fn.policies,
      pattern,
      'Clusters that restores to a point in time make. Their names begin with a part that no other cluster’s has; the action reads descriptions and no data.',
    );
  }
}
