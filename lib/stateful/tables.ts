import { Construct } from 'constructs';
import { Table, type TableProps } from '../constructs/table.ts';

/** One table for each capability that keeps something. */
export class Tables extends Construct {
  /** Catalogue and progress of backups. */
  readonly recovery: Table;
  /** API keys. */
  readonly access: Table;
  /** Shards and where they are. */
  readonly shards: Table;

  constructor(scope: Construct, id: string, common: Omit<TableProps, 'environmentName'>) {
    super(scope, id);
    this.recovery = new Table(this, 'Recovery', { ...common, environmentName: 'RECOVERY_TABLE' });
    this.access = new Table(this, 'Access', { ...common, environmentName: 'ACCESS_TABLE' });
    this.shards = new Table(this, 'Shards', { ...common, environmentName: 'SHARDS_TABLE' });
  }
}
