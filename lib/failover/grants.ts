import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { FailoverPolicy } from '../../functions/failover/policy.ts';
import { selfManagedOf } from '../config/failover.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { Workflow } from '../constructs/workflow.ts';
import { grantDescribeShards } from '../recovery/grants.ts';
import type { FailoverProps } from './failover.ts';
import type { FailoverFunctions } from './functions.ts';

/** Gives the functions that decide and act what they need, and nothing more. */
export function grantActing(functions: FailoverFunctions, workflow: Workflow, props: FailoverProps): void {
  const { settings, stateful, access, events } = props;
  const { environment, config } = settings;
  const { api, failover, operate, 'conclude-failover': conclude } = functions;
  const { shards: table } = stateful.tables;

  for (const fn of [api, failover, conclude]) {
    fn.addEnvironment('FAILOVER_POLICY', JSON.stringify(policyOf(config)));
  }
  access.grantGate(api);
  table.grantRead(api);
  failover.grantInvoke(api, 'FAILOVER_FUNCTION_ARN');

  table.grantRead(failover);
  table.grantItems(failover, ['dynamodb:PutItem'], ['FAILOVER', 'INSTANCES']);
  // The epoch, where the engine has acted by itself.
  table.grantItems(failover, ['dynamodb:UpdateItem'], ['SHARD']);
  grantDescribeShards(failover, stateful.shards);
  operate.grantInvoke(failover, 'OPERATE_FUNCTION_ARN');
  grantExecutions(workflow, failover);
  failover.addEnvironment('SELF_MANAGED_INSTANCES', JSON.stringify(selfManagedOf(config)));
  failover.addEnvironment('WRITER_ALARM_PREFIX', writerAlarms(failover, environment));

  table.grant(operate, ['dynamodb:GetItem']);
  table.grantItems(operate, ['dynamodb:UpdateItem'], ['SHARD']);
  for (const shard of stateful.shards) shard.grantConnect(operate, 'failover');

  table.grant(conclude, ['dynamodb:GetItem']);
  table.grantItems(conclude, ['dynamodb:PutItem'], ['FAILOVER']);
  for (const fn of [failover, conclude]) {
    events.grantPut(fn);
    access.grantAppend(fn);
  }
  allowClusters(workflow, props);
  allowGlobal(workflow, failover, config);
}

/** When writers are replaced, and by what, as the functions are told it. */
export function policyOf({ failover, shards }: DeploymentConfig): FailoverPolicy {
  const { enabled, ...policy } = failover;
  const others = shards.filter((shard) => shard.failover.action !== 'cluster');
  return {
    ...policy,
    automatic: enabled && policy.automatic,
    shards: Object.fromEntries(
      // Where its clusters are, and how to get there, is for policies and the network: the functions ask RDS.
      others.map(({ name, failover: { globalMembers: _, ...own } }) => [name, own]),
    ),
  };
}

const writerAlarms = (fn: BundledFunction, environment: string): string =>
  Stack.of(fn).formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: `mainstay-${environment}-writer-down-`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

/** Lets a function start executions by name, and see how they stand. */
function grantExecutions(workflow: Workflow, fn: BundledFunction): void {
  const executions = Stack.of(fn).formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${workflow.name}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  fn.allow(['states:StartExecution'], [workflow.arn]);
  fn.allow(['states:DescribeExecution'], [executions]);
  fn.addEnvironment('FAILOVER_STATE_MACHINE_ARN', workflow.arn);
  acknowledgeResource(
    fn.policies,
    executions,
    'Executions are named when they start; the pattern ends with this workflow’s own name and covers no other.',
  );
}

/** Has RDS make another instance of a shard's cluster the writer; the cluster may be one that was restored. */
function allowClusters(workflow: Workflow, { stateful }: FailoverProps): void {
  const clusters = new Set(stateful.shards.flatMap((shard) => [shard.clusterArn, shard.restoredClusters]));
  workflow.allow(['rds:FailoverDBCluster'], [...clusters]);
  for (const pattern of new Set(stateful.shards.map((shard) => shard.restoredClusters))) {
    acknowledgeResource(
      workflow.policies,
      pattern,
      'Clusters that restores to a point in time make may have become those of shards. Their names begin with a part that no other cluster’s has.',
    );
  }
}

function allowGlobal(workflow: Workflow, failover: BundledFunction, { shards }: DeploymentConfig): void {
  const names = shards.flatMap(({ failover: { globalClusterIdentifier } }) => globalClusterIdentifier ?? []);
  if (names.length === 0) return;
  const stack = Stack.of(workflow);
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  const members = shards.flatMap(({ failover: { globalMembers = [] } }) => globalMembers);
  const regions = [...new Set([stack.region, ...members.map(({ region }) => region)])];
  const globals = names.map((resourceName) =>
    stack.formatArn({ service: 'rds', region: '', resource: 'global-cluster', resourceName, arnFormat }),
  );
  const everyIn = (resource: string) =>
    regions.map((region) =>
      stack.formatArn({ ...{ service: 'rds', region, resource, resourceName: '*' }, arnFormat }),
    );
  const [clusters, instances] = [everyIn('cluster'), everyIn('db')];
  workflow.allow(['rds:FailoverGlobalCluster'], [...globals, ...clusters]);
  failover.allow(['rds:DescribeGlobalClusters'], globals);
  failover.allow(['rds:DescribeDBClusters'], clusters);
  failover.allow(['rds:DescribeDBInstances'], instances);
  const reason =
    'Which clusters a global database has in its regions, and which instances those have, only RDS knows, and it changes. The actions fail a named global database over, and read descriptions.';
  for (const arn of clusters) acknowledgeResource(workflow.policies, arn, reason);
  for (const arn of [...clusters, ...instances]) acknowledgeResource(failover.policies, arn, reason);
}
