import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { kept } from '../constructs/kept.ts';
import { backupKeyPolicy, dataKeyPolicy, macKeyPolicy } from '../stateful/key-policies.ts';
import type { Keys } from '../stateful/keys.ts';

/**
 * Replicas of the deployment's keys in the second region: same ids, same material, policies of their own. With them
 * a backup can be opened, its manifest checked and a table restored there when the first region cannot be reached.
 */
export class ReplicaKeys extends Construct {
  /** Encrypts what lives in this region beside the copies, such as the alarm topic. */
  readonly data: kms.IKey;

  constructor(scope: Construct, id: string, primary: Keys) {
    super(scope, id);
    new kms.CfnReplicaKey(this, 'Encryption', {
      primaryKeyArn: primary.encryption.keyArn,
      description: 'Mainstay: wraps the data keys of backups (replica)',
      keyPolicy: backupKeyPolicy(),
    }).applyRemovalPolicy(kept);
    new kms.CfnReplicaKey(this, 'Hmac', {
      primaryKeyArn: primary.hmac.keyArn,
      description: 'Mainstay: authenticates backup manifests (replica)',
      keyPolicy: macKeyPolicy(),
    }).applyRemovalPolicy(kept);
    const data = new kms.CfnReplicaKey(this, 'Data', {
      primaryKeyArn: primary.data.keyArn,
      description: 'Mainstay: encrypts tables, secrets, databases and notifications (replica)',
      keyPolicy: dataKeyPolicy(this),
    });
    data.applyRemovalPolicy(kept);
    this.data = kms.Key.fromKeyArn(this, 'DataKey', data.attrArn);
  }
}
