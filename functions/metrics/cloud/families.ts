import type { Family, Labels } from '../exposition/family.ts';

interface CloudFamily {
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly unit?: 'seconds' | 'bytes' | 'ratio';
  /** A gauge of something that happens now and then: the latest value is shown for 30 days, not for half an hour. */
  readonly latest?: true;
}

const counter = (help: string, unit?: CloudFamily['unit']): CloudFamily => ({
  ...{ help, type: 'counter' },
  ...(unit !== undefined && { unit }),
});
const gauge = (help: string, unit?: CloudFamily['unit']): CloudFamily => ({
  ...{ help, type: 'gauge' },
  ...(unit !== undefined && { unit }),
});
const latest = (help: string, unit?: CloudFamily['unit']): CloudFamily => ({
  ...gauge(help, unit),
  latest: true,
});

/** What is read of CloudWatch, by the name it has here; of counters without their `_total`. */
export const cloudFamilies = {
  // Recovery
  mainstay_backups: counter('Backups, by how they ended.'),
  mainstay_backup_stored_bytes: counter('Bytes that backups have stored.', 'bytes'),
  mainstay_backup_rows: counter('Rows in backups.'),
  mainstay_backup_duration_seconds: latest('Duration of the latest backup.', 'seconds'),
  mainstay_backups_expired: counter('Backups that were removed because their time was over.'),
  mainstay_imports: counter('Dumps made elsewhere that became backups.'),
  mainstay_restores: counter('Restores, by how they ended.'),
  mainstay_restore_duration_seconds: latest('Duration of the latest restore.', 'seconds'),
  mainstay_verifications: counter('Verifications of backups that ended.'),
  mainstay_verification_findings: counter('Damaged or missing objects that verifications have found.'),
  mainstay_drills: counter('Drills, by how they ended.'),
  mainstay_drill_rpo_seconds: latest('Recovery point that the latest drill has measured.', 'seconds'),
  mainstay_drill_rto_seconds: latest('Recovery time that the latest drill has measured.', 'seconds'),
  // Failover
  mainstay_failovers: counter('Failovers and switchovers, by how they ended.'),
  mainstay_failover_rto_seconds: latest('How long writes failed in the latest failover.', 'seconds'),
  mainstay_failovers_held: gauge('Failovers that are due and held back.'),
  mainstay_shard_writer_failing: gauge('1 while probes of the writer fail.'),
  mainstay_shard_probe_duration_seconds: gauge('Average duration of probes of the writer.', 'seconds'),
  mainstay_shard_replica_lag_bytes: gauge('How far the worst reader is behind.', 'bytes'),
  mainstay_shard_replica_lag_seconds: gauge('How far the worst reader is behind.', 'seconds'),
  mainstay_shard_readers_unreachable: gauge('Readers that do not answer.'),
  // Shards and databases
  mainstay_shards_imbalance: gauge('Coefficient of variation of the load of the shards; 0 is even.'),
  mainstay_shard_down: gauge('1 while a shard does not serve.'),
  mainstay_shard_instances_unhealthy: gauge('Instances that do not do their part.'),
  mainstay_database_connections_used_ratio: gauge('Connections in use, of those that may be.', 'ratio'),
  mainstay_database_long_transactions: gauge('Transactions that are open for too long.'),
  mainstay_database_blocked_queries: gauge('Statements that wait for locks for too long.'),
  mainstay_database_slow_queries: counter('Statements that took longer than is tolerated.'),
  mainstay_database_query_duration_seconds: gauge('Duration of a small query on the writer.', 'seconds'),
  mainstay_database_size_bytes: gauge('Size of the database.', 'bytes'),
  mainstay_database_wraparound_ratio: gauge('Transaction ids that are used up.', 'ratio'),
  mainstay_database_cpu_ratio: gauge('CPU of the cluster’s instances in use.', 'ratio'),
  mainstay_database_free_memory_bytes: gauge('Least freeable memory of an instance.', 'bytes'),
  mainstay_database_capacity_units: gauge('Aurora capacity units of the cluster.'),
  mainstay_database_connections: gauge('Connections to the cluster.'),
  mainstay_database_cache_hit_ratio: gauge('Blocks that the databases’ caches had, of those read.', 'ratio'),
  mainstay_database_volume_bytes: gauge('Storage of the cluster.', 'bytes'),
  // The edge
  mainstay_edge_requests: counter('Requests at the edge.'),
  mainstay_edge_cache_lookups: counter('Requests at the edge that its cache could answer: hits and misses.'),
  mainstay_edge_server_errors: counter('Answers of 5xx at the edge.'),
  mainstay_edge_sent_bytes: counter('Bytes that the edge has sent.', 'bytes'),
  mainstay_edge_log_age_seconds: gauge('Age of the latest request that was counted at the edge.', 'seconds'),
  mainstay_purges: counter('Purges of the edge, by how they ended.'),
  mainstay_purge_duration_seconds: latest('Duration of the latest purge.', 'seconds'),
  mainstay_warming_requests: counter('Requests by which the edge was warmed, by how they ended.'),
  // Access
  mainstay_webhook_attempts: counter('Attempts to deliver webhooks.'),
  mainstay_webhook_deliveries: counter('Webhooks, by how their delivery ended.'),
  mainstay_webhooks_disabled: counter('Webhook endpoints that were disabled because they fail.'),
  mainstay_audit_entries_verified: counter('Entries of the audit trail that were verified.'),
  mainstay_audit_entries_lost: counter('Changes and refusals that the audit trail did not take.'),
  mainstay_audit_chains_broken: counter('Chains of the audit trail that are not as they were written.'),
  // Tracing and metrics
  mainstay_spans: counter('Spans that were sent, by what became of them.'),
  mainstay_trace_canaries_lost: counter('Traces of the canary that were not found again.'),
  mainstay_trace_delay_seconds: gauge('How long until a trace of the canary was found.', 'seconds'),
  mainstay_data_points: counter('Data points that services have reported, by what became of them.'),
  // AWS
  mainstay_table_read_units: counter('Read capacity that a table’s requests have used.'),
  mainstay_table_write_units: counter('Write capacity that a table’s requests have used.'),
  mainstay_table_throttles: counter('Requests that DynamoDB has throttled, by what they did.'),
  mainstay_workflow_executions: counter('Executions of workflows, by how they ended.'),
  mainstay_dead_letters: gauge('Events and notifications that could not be delivered and were set aside.'),
  mainstay_region_function_throttles: counter('Functions of the region that Lambda did not start.'),
  mainstay_gateway_requests: counter('Requests of the API, also those that no function saw.'),
  mainstay_gateway_server_errors: counter('Answers of 5xx of the API, also those that no function gave.'),
  mainstay_gateway_processed_bytes: counter('Bytes that went through the API.', 'bytes'),
} as const satisfies Record<string, CloudFamily>;

export type CloudFamilyName = keyof typeof cloudFamilies;
export const cloudFamilyNames = Object.keys(cloudFamilies).filter(
  (name): name is CloudFamilyName => name in cloudFamilies,
);

/** One series as it was last read. */
export interface CloudSeries {
  readonly family: CloudFamilyName;
  readonly labels: Labels;
  /** Of a counter all that was counted since it was first read. */
  readonly value: number;
  /** When it was so, in ms since 1970; 0 for a counter of which nothing was counted yet. */
  readonly at: number;
}

const staleMs = 30 * 60_000;
const latestMs = 30 * 86_400_000;

/** The series that mean something now: counters, and gauges that are not too old. */
export const freshSeries = (all: readonly CloudSeries[], now: number): CloudSeries[] =>
  all.filter(({ family, at }) => {
    const described: CloudFamily = cloudFamilies[family];
    return described.type === 'counter' || now - at <= (described.latest ? latestMs : staleMs);
  });

/** What was read of CloudWatch, as families of metrics. */
export function familiesOfCloud(all: readonly CloudSeries[], now: number): Family[] {
  const byFamily = Map.groupBy(freshSeries(all, now), ({ family }) => family);
  return cloudFamilyNames.flatMap((name): Family[] => {
    const samples = byFamily.get(name);
    const { help, type, unit }: CloudFamily = cloudFamilies[name];
    return samples === undefined ? [] : [{ name, help, type, ...(unit !== undefined && { unit }), samples }];
  });
}
