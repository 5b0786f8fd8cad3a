import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { restoredClusterPrefix } from '../constants.ts';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import { Workflow } from '../constructs/workflow.ts';
import type { RecoveryFunctions } from './functions.ts';
import { grantDescribeShards } from './grants.ts';
import { pointInTimeDefinition } from './point-in-time-workflow.ts';
import type { RecoveryProps } from './recovery.ts';

const ownGroups =
  'Subnet, parameter and option groups are those that the shard’s own cluster has, whose names RDS tells when it is restored. The actions use them and change none; what they make is held to the names of restored clusters.';
const ownNames =
  'Clusters and instances that restores make: their names begin with a part that no deployed cluster’s has, and end with the restore’s id.';

/** Restores to a point in time: a workflow that has RDS make clusters, and the functions around it. */
export class PointInTime extends Construct {
  readonly workflow: Workflow;

  constructor(scope: Construct, id: string, functions: RecoveryFunctions, props: RecoveryProps) {
    super(scope, id);
    const { settings, stateful, events } = props;
    const { environment, config } = settings;
    const { 'point-in-time': fn, 'check-point-in-time': check, 'discard-point-in-time': discard } = functions;
    this.workflow = new Workflow(this, 'Workflow', {
      environment,
      config,
      name: 'point-in-time',
      definition: pointInTimeDefinition(functions, config),
      functions: [fn, check, functions.conclude],
    });
    stateful.buckets.backups.grantReadItems(this.workflow);
    this.workflow.grantRun(functions.api, 'POINT_IN_TIME_STATE_MACHINE_ARN');
    this.allowRds(props);

    const prefix = restoredClusterPrefix(environment);
    fn.addEnvironment('RESTORED_CLUSTER_PREFIX', prefix);
    stateful.tables.shards.grantRead(fn);
    stateful.tables.shards.grant(fn, ['dynamodb:UpdateItem']);
    grantDescribeShards(fn, stateful.shards);
    stateful.buckets.backups.grantWrite(fn);
    events.grantPut(fn);
    for (const shard of stateful.shards) shard.grantConnect(check, 'restore');

    const [clusters, instances] = [this.arn('cluster', `${prefix}*`), this.arn('db', `${prefix}*`)];
    stateful.tables.shards.grantRead(discard);
    discard.allow(['rds:DescribeDBClusters', 'rds:DeleteDBCluster'], [clusters]);
    discard.allow(['rds:DeleteDBInstance'], [instances]);
    for (const pattern of [clusters, instances]) acknowledgeResource(discard.policies, pattern, ownNames);
    for (const starter of [functions.api, functions.conclude]) {
      discard.grantInvoke(starter, 'DISCARD_POINT_IN_TIME_FUNCTION_ARN');
    }
  }

  /** What Step Functions may ask of RDS. The key of the shards lets whoever may do that use it, through RDS alone. */
  private allowRds({ settings, stateful }: RecoveryProps): void {
    const prefix = restoredClusterPrefix(settings.environment);
    const [clusters, instances] = [this.arn('cluster', `${prefix}*`), this.arn('db', `${prefix}*`)];
    const [subnets, clusterGroups, groups] = ['subgrp', 'cluster-pg', 'pg'].map((kind) =>
      this.arn(kind, '*'),
    );
    // RDS asks for the option group that a cluster has without being told.
    const options = this.arn('og', 'default*');
    const sources = stateful.shards.map((shard) => shard.clusterArn);
    const allow = (actions: string[], resources: (string | undefined)[]) =>
      this.workflow.allow(
        actions,
        resources.filter((resource) => resource !== undefined),
      );
    allow(['rds:RestoreDBClusterToPointInTime'], [...sources, clusters, subnets, clusterGroups, options]);
    allow(['rds:AddTagsToResource', 'rds:DescribeDBClusters', 'rds:ModifyDBCluster'], [clusters]);
    allow(['rds:CreateDBInstance'], [instances, clusters, subnets, groups, options]);
    allow(['rds:DescribeDBInstances'], [instances]);
    for (const pattern of [clusters, instances])
      acknowledgeResource(this.workflow.policies, pattern, ownNames);
    for (const pattern of [subnets, clusterGroups, groups, options]) {
      if (pattern !== undefined) acknowledgeResource(this.workflow.policies, pattern, ownGroups);
    }
  }

  private arn(resource: string, resourceName: string): string {
    const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
    return Stack.of(this).formatArn({ service: 'rds', resource, resourceName, arnFormat });
  }
}
