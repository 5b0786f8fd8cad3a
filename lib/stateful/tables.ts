import { Construct } from 'constructs';
import { Table, type TableProps } from '../constructs/table.ts';

/**
 * One table for each capability that keeps something. Access has several: who may write one of them must not write
 * another, and every function counts requests and records changes.
 */
export class Tables extends Construct {
  /** Catalogue and progress of backups. */
  readonly recovery: Table;
  /** API keys and tenants. */
  readonly access: Table;
  /** Counters of rate limits. */
  readonly limits: Table;
  /** Answers that are kept for repeated requests. */
  readonly idempotency: Table;
  /** Who did what; items are added and never changed. */
  readonly audit: Table;
  /** Webhook endpoints and their deliveries. */
  readonly webhooks: Table;
  /** Shards and where they are. */
  readonly shards: Table;
  /** What the logs of the edge say, purges and warming. */
  readonly cdn: Table;
  /** Spans. */
  readonly tracing: Table;

  /** What functions tell of their invocations, added up. */
  readonly monitoring: Table;

  constructor(scope: Construct, id: string, common: Omit<TableProps, 'environmentName'>) {
    super(scope, id);
    this.recovery = new Table(this, 'Recovery', { ...common, environmentName: 'RECOVERY_TABLE' });
    this.access = new Table(this, 'Access', { ...common, environmentName: 'ACCESS_TABLE' });
    this.limits = new Table(this, 'Limits', { ...common, environmentName: 'LIMITS_TABLE' });
    this.idempotency = new Table(this, 'Idempotency', { ...common, environmentName: 'IDEMPOTENCY_TABLE' });
    this.audit = new Table(this, 'Audit', { ...common, environmentName: 'AUDIT_TABLE' });
    this.webhooks = new Table(this, 'Webhooks', { ...common, environmentName: 'WEBHOOKS_TABLE' });
    this.shards = new Table(this, 'Shards', { ...common, environmentName: 'SHARDS_TABLE' });
    this.cdn = new Table(this, 'Cdn', { ...common, environmentName: 'CDN_TABLE' });
    this.tracing = new Table(this, 'Tracing', { ...common, environmentName: 'TRACING_TABLE' });
    this.monitoring = new Table(this, 'Monitoring', { ...common, environmentName: 'MONITORING_TABLE' });
  }
}
