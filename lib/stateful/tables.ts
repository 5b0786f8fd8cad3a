import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { Table } from '../constructs/table.ts';

/** One table for each capability that keeps something. */
export class Tables extends Construct {
  /** Catalogue and progress of backups. */
  readonly recovery: Table;
  /** API keys. */
  readonly access: Table;
  /** Shards and where they are. */
  readonly shards: Table;

  constructor(scope: Construct, id: string, { key }: { key: kms.IKey }) {
    super(scope, id);
    this.recovery = new Table(this, 'Recovery', { key, environmentName: 'RECOVERY_TABLE' });
    this.access = new Table(this, 'Access', { key, environmentName: 'ACCESS_TABLE' });
    this.shards = new Table(this, 'Shards', { key, environmentName: 'SHARDS_TABLE' });
  }
}
