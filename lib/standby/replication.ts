import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeResource } from '../constructs/acknowledge.ts';

/** Name of the one rule, which is also a dimension of its metrics. */
export const replicationRule = 'backups';

export interface ReplicationProps {
  /** What is copied. */
  source: s3.Bucket;
  /** The key that the source is encrypted with; its replica has the same id in the second region. */
  key: kms.Key;
  /** Where copies go. */
  destination: s3.Bucket;
  /** Region of the destination. */
  region: string;
}

/**
 * Copies every object below `backups/` to a bucket in another region, 99.99 % of them within 15 minutes (S3
 * Replication Time Control). Deletions stay here: whoever empties the source has not emptied the copy.
 */
export class Replication extends Construct {
  constructor(scope: Construct, id: string, props: ReplicationProps) {
    super(scope, id);
    const { source, key, destination, region } = props;
    const { partition, account } = Stack.of(this);
    const replicaKeyArn = `arn:${partition}:kms:${region}:${account}:key/${key.keyId}`;
    const role = this.createRole(props, replicaKeyArn);

    const resource = source.node.defaultChild;
    if (!(resource instanceof s3.CfnBucket)) throw new Error(`${source.node.path} has no bucket resource`);
    resource.replicationConfiguration = {
      role: role.roleArn,
      rules: [
        {
          id: replicationRule,
          priority: 1,
          status: 'Enabled',
          filter: { prefix: 'backups/' },
          deleteMarkerReplication: { status: 'Disabled' },
          sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
          destination: {
            bucket: destination.bucketArn,
            encryptionConfiguration: { replicaKmsKeyId: replicaKeyArn },
            replicationTime: { status: 'Enabled', time: { minutes: 15 } },
            metrics: { status: 'Enabled', eventThreshold: { minutes: 15 } },
          },
        },
      ],
    };
  }

  private createRole(
    { source, key, destination, region }: ReplicationProps,
    replicaKeyArn: string,
  ): iam.Role {
    const role = new iam.Role(this, 'Role', {
      description: 'S3 copies backups to the second region',
      assumedBy: new iam.ServicePrincipal('s3.amazonaws.com'),
    });
    const through = (of: string) => ({ StringEquals: { 'kms:ViaService': `s3.${of}.amazonaws.com` } });
    const objects = source.arnForObjects('backups/*');
    const copies = destination.arnForObjects('backups/*');
    const statements = [
      { actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'], resources: [source.bucketArn] },
      {
        actions: [
          ...['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
          ...['s3:GetObjectRetention', 's3:GetObjectLegalHold'],
        ],
        resources: [objects],
      },
      { actions: ['s3:ReplicateObject', 's3:ReplicateTags'], resources: [copies] },
      { actions: ['kms:Decrypt'], resources: [key.keyArn], conditions: through(Stack.of(this).region) },
      {
        actions: ['kms:Encrypt', 'kms:GenerateDataKey'],
        resources: [replicaKeyArn],
        conditions: through(region),
      },
    ];
    for (const statement of statements) role.addToPolicy(new iam.PolicyStatement(statement));
    acknowledgeResource(
      role,
      objects,
      'The backups of this one bucket. Their keys contain the id of the backup.',
    );
    acknowledgeResource(
      role,
      copies,
      'The copies in this one bucket. They have the keys of their originals.',
    );
    return role;
  }
}
