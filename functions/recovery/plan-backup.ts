import type { RDSClient } from '@aws-sdk/client-rds';
import { DescribeDBClustersCommand, DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import type * as z from 'zod';
import { onDependency } from '../shared/dependency.ts';
import type { Shard } from '../shared/shards.ts';
import type { BackupCatalog } from './catalog/backup-catalog.ts';
import type { ChunkCatalog } from './catalog/chunk-catalog.ts';
import type { ShardLocks } from './catalog/shard-locks.ts';
import { type Clock, isoTime } from './clock.ts';
import { componentsOf } from './components.ts';
import { BackupNotRunningError, NotReadyError, UnknownShardError } from './errors.ts';
import { type ShardName, shardNameSchema } from './ids.ts';
import { chooseParents } from './parents.ts';
import { type TenantsConfig, toShardTenant } from './tenants/model.ts';
import { selectTenant } from './tenants/select-tenant.ts';
import type { planEventSchema, ShardTarget } from './workflow.ts';

export interface PlanDependencies {
  readonly catalog: BackupCatalog;
  readonly chunks: ChunkCatalog;
  readonly locks: ShardLocks;
  readonly listShards: () => Promise<readonly Shard[]>;
  readonly rds: RDSClient;
  readonly clock: Clock;
  readonly traceparent: string;
  /** How tenants are told apart; absent: there are no backups of single ones. */
  readonly tenants?: TenantsConfig | undefined;
}

/**
 * Decides what a backup reads: which shards, the instance of each that is its writer now, and the earlier backups that it
 * may refer to. Doing it again changes nothing.
 *
 * @throws UnknownShardError, BackupConflictError, BackupNotRunningError, DependencyError
 */
export async function planBackup(
  deps: PlanDependencies,
  { backupId, executionArn, startedAt, input }: z.output<typeof planEventSchema>,
): Promise<ShardTarget[]> {
  const { catalog, chunks, locks, clock } = deps;
  const components = componentsOf(input);
  const ofDatabase = components.includes('database');
  const shards = ofDatabase ? chooseShards(await deps.listShards(), input.shards) : [];
  const names = shards.map(({ name }) => shardNameSchema.parse(name));
  const { tenant } = input;
  const selection = tenant && selectTenant(deps.tenants, tenant);
  const type = tenant === undefined ? input.type : 'full';
  await catalog.create({
    id: backupId,
    type,
    components,
    tenant,
    trigger: input.trigger,
    ...(input.requestedBy === undefined ? {} : { requestedBy: input.requestedBy }),
    traceparent: deps.traceparent,
    shards: names,
    createdAt: isoTime(Date.parse(startedAt)),
    executionArn,
  });
  await locks.acquire(backupId, names);
  const started = await catalog.start(backupId, {
    executionArn,
    shards: names,
    startedAt: isoTime(clock.now()),
  });
  if (!started) throw new BackupNotRunningError(`Backup ${backupId} was canceled before it began.`);
  if (selection !== undefined) await catalog.setSelection(backupId, selection);
  // Where there are only files, their plan decides whether there is something to refer to.
  if (type === 'incremental' && (ofDatabase || !components.includes('files'))) {
    await chooseParents(catalog, backupId);
  }
  const targets: ShardTarget[] = [];
  for (const shard of shards) {
    const writer = await findWriter(deps.rds, shard);
    const target = selection === undefined ? writer : { ...writer, tenant: toShardTenant(selection) };
    await chunks.setShard(target.name, { target, stage: 'snapshot' });
    targets.push(target);
  }
  return targets;
}

/**
 * @param wanted all shards when it is absent.
 * @throws UnknownShardError naming the shards there are.
 */
export function chooseShards(known: readonly Shard[], wanted: readonly ShardName[] | undefined): Shard[] {
  if (known.length === 0) throw new UnknownShardError('There are no shards to back up.');
  if (wanted === undefined) return [...known];
  const byName = new Map<string, Shard>(known.map((shard) => [shard.name, shard]));
  return [...wanted].sort().map((name) => {
    const shard = byName.get(name);
    if (shard !== undefined) return shard;
    throw new UnknownShardError(`There is no shard "${name}". There are: ${[...byName.keys()].join(', ')}.`);
  });
}

/** The table of shards may be older than the last failover; RDS knows. */
export async function findWriter(rds: RDSClient, shard: Shard): Promise<ShardTarget> {
  const { clusterIdentifier } = shard;
  const { DBClusters } = await onDependency('RDS', `DescribeDBClusters ${clusterIdentifier}`, () =>
    rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: clusterIdentifier })),
  );
  const cluster = DBClusters?.[0];
  const writer = cluster?.DBClusterMembers?.find((member) => member.IsClusterWriter === true);
  const identifier = writer?.DBInstanceIdentifier;
  if (identifier === undefined)
    throw new NotReadyError(`The cluster ${clusterIdentifier} has no writer now.`);
  const { DBInstances } = await onDependency('RDS', `DescribeDBInstances ${identifier}`, () =>
    rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })),
  );
  const endpoint = DBInstances?.[0]?.Endpoint;
  if (endpoint?.Address === undefined || endpoint.Port === undefined) {
    throw new NotReadyError(`The instance ${identifier} has no endpoint yet.`);
  }
  return {
    name: shardNameSchema.parse(shard.name),
    database: shard.database,
    clusterIdentifier,
    epoch: shard.epoch,
    ...(cluster?.DbClusterResourceId !== undefined && { resourceId: cluster.DbClusterResourceId }),
    instance: { identifier, host: endpoint.Address, port: endpoint.Port },
  };
}
