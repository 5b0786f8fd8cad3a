import {
  type Dashboard,
  hourly,
  type Panel,
  percentiles,
  type Query,
  rate,
  type Section,
  share,
  slowRate,
  type Unit,
} from './panels.ts';

const panel = (title: string, unit: Unit, ...queries: Query[]): Panel => ({ title, unit, queries });
const query = (legend: string, expr: string): Query => ({ expr, legend });
const byShard = (metric: string): Query => query('{{shard}}', metric);

const requests: Section = {
  title: 'Requests of Mainstay',
  panels: [
    panel('Requests', 'reqps', query('{{code}}', `sum by (code) (${rate('mainstay_http_requests_total')})`)),
    panel(
      'Server errors',
      'percentunit',
      query(
        'of all answers',
        share(rate('mainstay_http_requests_total{code="5xx"}'), rate('mainstay_http_requests_total')),
      ),
      query(
        'as API Gateway counts',
        share(slowRate('mainstay_gateway_server_errors_total'), slowRate('mainstay_gateway_requests_total')),
      ),
    ),
    panel('Latency', 's', ...percentiles('mainstay_http_request_duration_seconds')),
    panel(
      'Busiest routes',
      'reqps',
      query('{{route}}', `topk(10, sum by (route) (${rate('mainstay_http_requests_total')}))`),
    ),
    panel(
      'Slowest routes (P95)',
      's',
      query(
        '{{route}}',
        `topk(10, histogram_quantile(0.95, sum by (le, route) (${rate('mainstay_http_request_duration_seconds_bucket')})))`,
      ),
    ),
    panel('Traffic', 'Bps', query('through the API', slowRate('mainstay_gateway_processed_bytes_total'))),
  ],
};

const functions: Section = {
  title: 'Functions',
  panels: [
    panel(
      'Invocations and failures',
      'ops',
      query('{{service}}', `sum by (service) (${rate('mainstay_function_invocations_total')})`),
      query('failed: {{service}}', `sum by (service) (${rate('mainstay_function_errors_total')})`),
    ),
    panel(
      'Duration (P95)',
      's',
      query(
        '{{service}}',
        `histogram_quantile(0.95, sum by (le, service) (${rate('mainstay_function_duration_seconds_bucket')}))`,
      ),
    ),
    panel(
      'Memory used',
      'percentunit',
      query(
        '{{service}}/{{function}}',
        'topk(10, mainstay_function_peak_memory_bytes / mainstay_function_memory_limit_bytes)',
      ),
    ),
    panel(
      'Cold starts in an hour',
      'short',
      query('{{service}}', `sum by (service) (${hourly('mainstay_function_cold_starts_total')})`),
    ),
    panel(
      'Throttled starts in an hour',
      'short',
      query('in the region', hourly('mainstay_region_function_throttles_total')),
    ),
  ],
};

const databases: Section = {
  title: 'Databases',
  panels: [
    panel('Shards that do not serve', 'short', byShard('mainstay_shard_down')),
    panel('Connections in use', 'percentunit', byShard('mainstay_database_connections_used_ratio')),
    panel(
      'Slow queries in an hour',
      'short',
      query('{{shard}}', `sum by (shard) (${hourly('mainstay_database_slow_queries_total')})`),
    ),
    panel('Size', 'bytes', byShard('mainstay_database_size_bytes')),
    panel('Replica lag', 's', byShard('mainstay_shard_replica_lag_seconds')),
    panel(
      'Duration of probes and small queries',
      's',
      query('probe {{shard}}', 'mainstay_shard_probe_duration_seconds'),
      query('query {{shard}}', 'mainstay_database_query_duration_seconds'),
    ),
    panel(
      'Stuck',
      'short',
      query('long transactions {{shard}}', 'mainstay_database_long_transactions'),
      query('blocked statements {{shard}}', 'mainstay_database_blocked_queries'),
    ),
    panel('CPU', 'percentunit', byShard('mainstay_database_cpu_ratio')),
    panel('Free memory', 'bytes', byShard('mainstay_database_free_memory_bytes')),
    panel('Capacity (ACU)', 'short', byShard('mainstay_database_capacity_units')),
    panel('Blocks found in the cache', 'percentunit', byShard('mainstay_database_cache_hit_ratio')),
    panel(
      'Uneven load (coefficient of variation)',
      'short',
      query('all shards', 'mainstay_shards_imbalance'),
    ),
  ],
};

const recovery: Section = {
  title: 'Recovery and failover',
  panels: [
    panel(
      'Backups in a day',
      'short',
      query('{{outcome}}', 'sum by (outcome) (increase(mainstay_backups_total[1d]))'),
    ),
    panel(
      'Stored by backups in a day',
      'bytes',
      query('stored', 'increase(mainstay_backup_stored_bytes_total[1d])'),
    ),
    panel(
      'Duration of backups and restores',
      's',
      query('backup', 'mainstay_backup_duration_seconds'),
      query('restore', 'mainstay_restore_duration_seconds'),
    ),
    panel(
      'Measured by drills',
      's',
      query('RPO', 'mainstay_drill_rpo_seconds'),
      query('RTO', 'mainstay_drill_rto_seconds'),
    ),
    panel(
      'Failovers in a day',
      'short',
      query('{{outcome}}', 'sum by (outcome) (increase(mainstay_failovers_total[1d]))'),
      query('held back', 'mainstay_failovers_held'),
    ),
    panel(
      'Damage found in a day',
      'short',
      query('objects', 'increase(mainstay_verification_findings_total[1d])'),
      query('chains of the audit trail', 'increase(mainstay_audit_chains_broken_total[1d])'),
    ),
  ],
};

const edge: Section = {
  title: 'Edge',
  panels: [
    panel(
      'Requests',
      'reqps',
      query('all', slowRate('mainstay_edge_requests_total')),
      query('5xx', slowRate('mainstay_edge_server_errors_total')),
    ),
    panel(
      'Hit rate',
      'percentunit',
      query(
        'hits',
        'rate(mainstay_edge_cache_lookups_total{result="hit"}[1h]) / ignoring (result) sum without (result) (rate(mainstay_edge_cache_lookups_total[1h]))',
      ),
    ),
    panel('Bandwidth', 'Bps', query('sent', slowRate('mainstay_edge_sent_bytes_total'))),
    panel(
      'Purges and warming in an hour',
      'short',
      query('purges {{outcome}}', hourly('mainstay_purges_total')),
      query('warming {{outcome}}', hourly('mainstay_warming_requests_total')),
    ),
  ],
};

const plumbing: Section = {
  title: 'Tables, workflows, queues',
  panels: [
    panel(
      'Capacity of tables in an hour',
      'short',
      query('{{table}} read', hourly('mainstay_table_read_units_total')),
      query('{{table}} write', hourly('mainstay_table_write_units_total')),
    ),
    panel(
      'Throttled by DynamoDB in an hour',
      'short',
      query('{{table}} {{operation}}', hourly('mainstay_table_throttles_total')),
    ),
    panel(
      'Workflows in an hour',
      'short',
      query('{{workflow}} {{outcome}}', hourly('mainstay_workflow_executions_total')),
    ),
    panel('Dead letters', 'short', query('set aside', 'mainstay_dead_letters')),
    panel(
      'Webhooks in an hour',
      'short',
      query('{{outcome}}', hourly('mainstay_webhook_deliveries_total')),
      query('attempts', hourly('mainstay_webhook_attempts_total')),
    ),
    panel(
      'Spans and data points in an hour',
      'short',
      query('spans {{outcome}}', hourly('mainstay_spans_total')),
      query('data points {{outcome}}', hourly('mainstay_data_points_total')),
    ),
  ],
};

const business: Section = {
  title: 'What services report',
  panels: [
    panel('Tenants', 'short', query('{{state}}', 'sum by (state) (tenants)')),
    panel('Websites', 'short', query('active', 'sum(active_websites_total)')),
    panel('Active users', 'short', query('active', 'sum(active_users)')),
    panel(
      'Deployments in an hour',
      'short',
      query('{{status}}', `sum by (status) (${hourly('deployments_total')})`),
    ),
    panel('Latency of services', 's', ...percentiles('api_request_duration_seconds', '', 'service')),
    panel('Storage of tenants', 'bytes', query('all', 'sum(storage_bytes)')),
  ],
};

/** The platform as a whole: requests, functions, databases, recovery, edge, and what services report. */
export const platformDashboard: Dashboard = {
  uid: 'mainstay-platform',
  title: 'Mainstay: platform',
  description: 'Requests, functions, databases, recovery, the edge, and what services report.',
  variables: [],
  sections: [requests, functions, databases, recovery, edge, plumbing, business],
};
