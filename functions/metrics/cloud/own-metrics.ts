import type { Labels } from '../exposition/family.ts';
import type { CloudFamilyName } from './families.ts';
import type { CloudQuery } from './queries.ts';

/** A metric that functions of a capability publish, and what it is called here. */
export interface OwnMetric {
  readonly capability: string;
  readonly metric: string;
  readonly family: CloudFamilyName;
  readonly labels?: Labels;
  /** Default `Sum`, which is what counters take. */
  readonly statistic?: CloudQuery['statistic'];
  /** Default 1. */
  readonly scale?: number;
}

const ms = 0.001;
const percent = 0.01;

/** Metrics of all shards, tables and edges together. */
export const own: readonly OwnMetric[] = [
  ...ofCapability('recovery', [
    ['BackupsCompleted', 'mainstay_backups', { labels: { outcome: 'completed' } }],
    ['BackupsFailed', 'mainstay_backups', { labels: { outcome: 'failed' } }],
    ['BackupBytes', 'mainstay_backup_stored_bytes'],
    ['BackupRows', 'mainstay_backup_rows'],
    ['BackupDurationMs', 'mainstay_backup_duration_seconds', { statistic: 'Maximum', scale: ms }],
    ['BackupsExpired', 'mainstay_backups_expired'],
    ['ImportsCompleted', 'mainstay_imports'],
    ['RestoresCompleted', 'mainstay_restores', { labels: { outcome: 'completed' } }],
    ['RestoresFailed', 'mainstay_restores', { labels: { outcome: 'failed' } }],
    ['RestoreDurationMs', 'mainstay_restore_duration_seconds', { statistic: 'Maximum', scale: ms }],
    ['VerificationsCompleted', 'mainstay_verifications'],
    ['VerificationFindings', 'mainstay_verification_findings'],
    ['DrillsCompleted', 'mainstay_drills', { labels: { outcome: 'passed' } }],
    ['DrillsFailed', 'mainstay_drills', { labels: { outcome: 'failed' } }],
    ['DrillRpoSeconds', 'mainstay_drill_rpo_seconds', { statistic: 'Maximum' }],
    ['DrillRtoSeconds', 'mainstay_drill_rto_seconds', { statistic: 'Maximum' }],
  ]),
  ...ofCapability('failover', [
    ['FailoversCompleted', 'mainstay_failovers', { labels: { outcome: 'completed' } }],
    ['FailoversFailed', 'mainstay_failovers', { labels: { outcome: 'failed' } }],
    ['FailoverRtoMs', 'mainstay_failover_rto_seconds', { statistic: 'Maximum', scale: ms }],
    ['FailoversHeld', 'mainstay_failovers_held', { statistic: 'Maximum' }],
  ]),
  ...ofCapability('shards', [['ShardImbalance', 'mainstay_shards_imbalance', { statistic: 'Maximum' }]]),
  ...ofCapability('cdn', [
    ['EdgeRequests', 'mainstay_edge_requests'],
    ['EdgeHits', 'mainstay_edge_cache_lookups', { labels: { result: 'hit' } }],
    ['EdgeMisses', 'mainstay_edge_cache_lookups', { labels: { result: 'miss' } }],
    ['EdgeServerErrors', 'mainstay_edge_server_errors'],
    ['EdgeBytes', 'mainstay_edge_sent_bytes'],
    ['LogAge', 'mainstay_edge_log_age_seconds', { statistic: 'Minimum', scale: ms }],
    ['PurgesCompleted', 'mainstay_purges', { labels: { outcome: 'completed' } }],
    ['PurgesFailed', 'mainstay_purges', { labels: { outcome: 'failed' } }],
    ['PurgeMs', 'mainstay_purge_duration_seconds', { statistic: 'Maximum', scale: ms }],
    ['WarmingRequests', 'mainstay_warming_requests', { labels: { outcome: 'done' } }],
    ['WarmingRequestsFailed', 'mainstay_warming_requests', { labels: { outcome: 'failed' } }],
  ]),
  ...ofCapability('access', [
    ['WebhookAttempts', 'mainstay_webhook_attempts'],
    ['WebhookDeliveriesCompleted', 'mainstay_webhook_deliveries', { labels: { outcome: 'completed' } }],
    ['WebhookDeliveriesFailed', 'mainstay_webhook_deliveries', { labels: { outcome: 'failed' } }],
    ['WebhooksDisabled', 'mainstay_webhooks_disabled'],
    ['AuditEntriesVerified', 'mainstay_audit_entries_verified'],
    ['AuditEntriesLost', 'mainstay_audit_entries_lost'],
    ['AuditChainsBroken', 'mainstay_audit_chains_broken'],
  ]),
  ...ofCapability('tracing', [
    ['SpansStored', 'mainstay_spans', { labels: { outcome: 'stored' } }],
    ['SpansInvalid', 'mainstay_spans', { labels: { outcome: 'invalid' } }],
    ['SpansTooOld', 'mainstay_spans', { labels: { outcome: 'too_old' } }],
    ['SpansAhead', 'mainstay_spans', { labels: { outcome: 'ahead' } }],
    ['CanaryLost', 'mainstay_trace_canaries_lost'],
    ['CanaryDelayMs', 'mainstay_trace_delay_seconds', { statistic: 'Maximum', scale: ms }],
  ]),
  ...ofCapability('metrics', [
    ['DataPointsTaken', 'mainstay_data_points', { labels: { outcome: 'taken' } }],
    ['DataPointsRejected', 'mainstay_data_points', { labels: { outcome: 'rejected' } }],
  ]),
];

/** Metrics of which each shard has one. */
export const ofShards: readonly OwnMetric[] = [
  ...ofCapability('failover', [
    ['WriterProbeFailed', 'mainstay_shard_writer_failing', { statistic: 'Minimum' }],
    ['WriterProbeLatency', 'mainstay_shard_probe_duration_seconds', { statistic: 'Average', scale: ms }],
    ['ReplicaLagBytes', 'mainstay_shard_replica_lag_bytes', { statistic: 'Maximum' }],
    ['ReplicaLagSeconds', 'mainstay_shard_replica_lag_seconds', { statistic: 'Maximum' }],
    ['ReadersUnreachable', 'mainstay_shard_readers_unreachable', { statistic: 'Maximum' }],
  ]),
  ...ofCapability('shards', [
    ['ShardDown', 'mainstay_shard_down', { statistic: 'Maximum' }],
    ['InstancesUnhealthy', 'mainstay_shard_instances_unhealthy', { statistic: 'Maximum' }],
    [
      'ConnectionsUsedPercent',
      'mainstay_database_connections_used_ratio',
      { statistic: 'Maximum', scale: percent },
    ],
    ['LongTransactions', 'mainstay_database_long_transactions', { statistic: 'Maximum' }],
    ['BlockedQueries', 'mainstay_database_blocked_queries', { statistic: 'Maximum' }],
    ['SlowQueries', 'mainstay_database_slow_queries'],
    ['WriterQueryMs', 'mainstay_database_query_duration_seconds', { statistic: 'Average', scale: ms }],
    ['DatabaseSizeBytes', 'mainstay_database_size_bytes', { statistic: 'Maximum' }],
    ['WraparoundPercent', 'mainstay_database_wraparound_ratio', { statistic: 'Maximum', scale: percent }],
  ]),
];

function ofCapability(
  capability: string,
  metrics: readonly (readonly [
    metric: string,
    family: CloudFamilyName,
    more?: Pick<OwnMetric, 'labels' | 'statistic' | 'scale'>,
  ])[],
): OwnMetric[] {
  return metrics.map(([metric, family, more]) => ({ capability, metric, family, ...more }));
}
