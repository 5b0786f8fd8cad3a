import type { Labels } from '../exposition/family.ts';
import type { CloudFamilyName } from './families.ts';
import { type OwnMetric, ofShards, own } from './own-metrics.ts';
import type { Sources } from './sources.ts';

/** One series, and where CloudWatch has it. */
export interface CloudQuery {
  readonly family: CloudFamilyName;
  readonly labels: Labels;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum' | 'Average';
  /** What a value of CloudWatch is multiplied by. Default 1. */
  readonly scale?: number;
}

/** A shard, as CloudWatch knows it. */
export interface ShardSource {
  readonly name: string;
  readonly clusterIdentifier: string;
}

/** All that is asked of CloudWatch: a fixed number, some for each table and workflow, and some for each shard. */
export function cloudQueries(sources: Sources, shards: readonly ShardSource[]): CloudQuery[] {
  return [
    ...own.map((metric) => ofMainstay(metric, sources, {})),
    ...shards.flatMap(({ name }) => ofShards.map((metric) => ofMainstay(metric, sources, { shard: name }))),
    ...shards.flatMap(ofCluster),
    ...Object.entries(sources.tables).flatMap(([table, TableName]) => ofTable(table, TableName)),
    ...Object.entries(sources.workflows).flatMap(([workflow, name]) =>
      ofWorkflow(workflow, `${sources.workflowsOf}${name}`),
    ),
    ...ofGateway(sources.api),
    {
      ...{ family: 'mainstay_dead_letters', labels: {}, namespace: 'AWS/SQS', statistic: 'Maximum' },
      metric: 'ApproximateNumberOfMessagesVisible',
      dimensions: { QueueName: sources.deadLetters },
    },
    {
      ...{ family: 'mainstay_region_function_throttles', labels: {}, namespace: 'AWS/Lambda' },
      ...{ metric: 'Throttles', dimensions: {}, statistic: 'Sum' },
    },
  ];
}

function ofMainstay(
  { capability, metric, family, labels = {}, statistic = 'Sum', scale = 1 }: OwnMetric,
  { namespace }: Sources,
  of: Readonly<Record<string, string>>,
): CloudQuery {
  return {
    ...{ family, labels: { ...of, ...labels }, namespace, metric, statistic, scale },
    dimensions: { ...of, service: capability },
  };
}

const clusterMetrics = [
  ['mainstay_database_cpu_ratio', 'CPUUtilization', 'Average', 0.01],
  ['mainstay_database_free_memory_bytes', 'FreeableMemory', 'Minimum', 1],
  ['mainstay_database_capacity_units', 'ServerlessDatabaseCapacity', 'Average', 1],
  ['mainstay_database_connections', 'DatabaseConnections', 'Maximum', 1],
  ['mainstay_database_cache_hit_ratio', 'BufferCacheHitRatio', 'Average', 0.01],
  ['mainstay_database_volume_bytes', 'VolumeBytesUsed', 'Maximum', 1],
] as const;

const ofCluster = ({ name, clusterIdentifier }: ShardSource): CloudQuery[] =>
  clusterMetrics.map(([family, metric, statistic, scale]) => ({
    ...{ family, labels: { shard: name }, namespace: 'AWS/RDS', metric, statistic, scale },
    dimensions: { DBClusterIdentifier: clusterIdentifier },
  }));

const tableMetrics = [
  ['mainstay_table_read_units', 'ConsumedReadCapacityUnits', {}],
  ['mainstay_table_write_units', 'ConsumedWriteCapacityUnits', {}],
  ['mainstay_table_throttles', 'ReadThrottleEvents', { operation: 'read' }],
  ['mainstay_table_throttles', 'WriteThrottleEvents', { operation: 'write' }],
] as const;

const ofTable = (table: string, TableName: string): CloudQuery[] =>
  tableMetrics.map(([family, metric, labels]) => ({
    ...{ family, labels: { table, ...labels }, namespace: 'AWS/DynamoDB', metric, statistic: 'Sum' },
    dimensions: { TableName },
  }));

const executionMetrics = [
  ['ExecutionsSucceeded', 'succeeded'],
  ['ExecutionsFailed', 'failed'],
  ['ExecutionsTimedOut', 'timed_out'],
] as const;

const ofWorkflow = (workflow: string, StateMachineArn: string): CloudQuery[] =>
  executionMetrics.map(([metric, outcome]) => ({
    ...{ family: 'mainstay_workflow_executions', labels: { workflow, outcome } },
    ...{ namespace: 'AWS/States', metric, statistic: 'Sum', dimensions: { StateMachineArn } },
  }));

const gatewayMetrics = [
  ['mainstay_gateway_requests', 'Count'],
  ['mainstay_gateway_server_errors', '5xx'],
  ['mainstay_gateway_processed_bytes', 'DataProcessed'],
] as const;

const ofGateway = (ApiId: string): CloudQuery[] =>
  gatewayMetrics.map(([family, metric]) => ({
    ...{ family, labels: {}, namespace: 'AWS/ApiGateway', metric, statistic: 'Sum', dimensions: { ApiId } },
  }));
