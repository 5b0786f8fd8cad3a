import { Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeploymentConfig } from './config/schema.ts';
import { Replication } from './standby/replication.ts';
import type { Vault } from './standby/vault.ts';
import { Buckets } from './stateful/buckets.ts';
import { DeploymentParameters } from './stateful/deployment-parameters.ts';
import { Escrow } from './stateful/escrow.ts';
import { Keys } from './stateful/keys.ts';
import { Network } from './stateful/network.ts';
import { Secrets } from './stateful/secrets.ts';
import { Shard } from './stateful/shard.ts';
import { Tables } from './stateful/tables.ts';

export interface StatefulStackProps extends StackProps {
  /** Name of the environment. */
  environment: string;
  config: DeploymentConfig;
  /** Where backups are copied to, in a second region. */
  vault?: Vault;
}

/** What must never be replaced: keys, buckets, tables, secrets, the network and the database clusters. */
export class StatefulStack extends Stack {
  readonly keys: Keys;
  readonly buckets: Buckets;
  readonly tables: Tables;
  readonly secrets: Secrets;
  /** Where it is configured. */
  readonly escrow: Escrow | undefined;
  readonly network: Network;
  readonly shards: readonly Shard[];
  readonly configuration: DeploymentParameters;

  constructor(scope: Construct, id: string, { environment, config, vault, ...props }: StatefulStackProps) {
    super(scope, id, props);
    this.keys = new Keys(this, 'Keys', config.encryption);
    this.buckets = new Buckets(this, 'Buckets', { config, keys: this.keys });
    if (vault !== undefined && config.standby !== undefined) {
      new Replication(this, 'Replication', {
        source: this.buckets.backups.bucket,
        key: this.keys.encryption,
        destination: vault.bucket,
        region: config.standby.region,
      });
    }
    this.tables = new Tables(this, 'Tables', {
      key: this.keys.data,
      deletionProtection: config.deletionProtection,
    });
    const { escrow } = config.backup;
    this.escrow = escrow.enabled
      ? new Escrow(this, 'Escrow', {
          key: this.keys.data,
          backups: this.buckets.backups,
          generate: escrow.generate,
        })
      : undefined;
    this.configuration = new DeploymentParameters(this, 'Configuration', { environment, config });
    this.secrets = new Secrets(this, 'Secrets', { key: this.keys.data });
    this.network = new Network(this, 'Network', { config: config.network, logs: this.buckets.logs });
    this.shards = config.shards.map(
      (shard) =>
        new Shard(this, `Shard-${shard.name}`, {
          environment,
          shard,
          config,
          network: this.network,
          key: this.keys.data,
        }),
    );
  }

  /** The first two zones of the region, without looking them up: a synth needs neither network nor credentials. */
  override get availabilityZones(): string[] {
    return [Fn.select(0, Fn.getAzs()), Fn.select(1, Fn.getAzs())];
  }
}
