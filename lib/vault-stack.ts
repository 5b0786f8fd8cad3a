import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Vault, type VaultProps } from './standby/vault.ts';

/**
 * The bucket in the second region that backups are copied to. It takes nothing from other stacks and is deployed
 * first: S3 accepts a replication rule only when its destination exists.
 */
export class VaultStack extends Stack {
  readonly vault: Vault;

  constructor(scope: Construct, id: string, { standby, config, ...props }: StackProps & VaultProps) {
    super(scope, id, props);
    this.vault = new Vault(this, 'Vault', { standby, config });
  }
}
