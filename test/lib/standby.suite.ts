import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { synthesizeUnchecked } from './support.ts';
import { statementsOf } from './template.ts';

const replica = (digit: string) => `arn:aws:kms:eu-central-1:123456789012:key/mrk-${digit.repeat(32)}`;
const adopt = { bucket: 'copies-of-another', encryptionKeyArn: replica('e'), hmacKeyArn: replica('a') };
const { names, stack, stateful, platform } = synthesizeUnchecked('production', {
  profile: 'production',
  region: 'eu-central-1',
  standby: { region: 'eu-west-1', keepDays: 40, lagMinutes: 20 },
  alarms: { emails: ['ops@example.com'] },
  backup: { adopt },
});
const vault = stack('Vault');
const standby = stack('Standby');

describe('A standby region', () => {
  it('is not there without its setting', () => {
    expect(synthesizeUnchecked('dev').names).toEqual([
      'Stateful',
      'Platform',
      'Cdn',
      'Databases',
      'Telemetry',
    ]);
  });

  it('is deployed in an order in which everything exists that is referred to', () => {
    // The bucket before the rule that names it, the keys before anything is stored.
    expect(names).toEqual(['Vault', 'Stateful', 'Standby', 'Platform', 'Cdn', 'Databases', 'Telemetry']);
    expect(JSON.stringify(vault.resources)).not.toContain('Fn::GetStackOutput');
  });
});

describe('Copies of backups', () => {
  const rules = stateful.resources.BucketsBackupsBucket20F88C3F?.Properties.ReplicationConfiguration;

  it('are made of every object of a backup, within 15 minutes, with metrics of how far they are', () => {
    expect(rules).toMatchObject({
      Rules: [
        {
          Id: 'backups',
          Status: 'Enabled',
          Filter: { Prefix: 'backups/' },
          SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
          Destination: {
            ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } },
            Metrics: { Status: 'Enabled', EventThreshold: { Minutes: 15 } },
          },
        },
      ],
    });
  });

  it('are encrypted with the replica of the key, which has the id of the primary', () => {
    expect(rules).toMatchObject({
      Rules: [
        {
          Destination: {
            EncryptionConfiguration: {
              ReplicaKmsKeyID: {
                'Fn::Join': [
                  '',
                  [
                    'arn:aws:kms:eu-west-1:',
                    { Ref: 'AWS::AccountId' },
                    ':key/',
                    { Ref: 'KeysEncryption703EF701' },
                  ],
                ],
              },
            },
          },
        },
      ],
    });
  });

  it('outlive their originals: deletions are not replicated, and the role could not', () => {
    expect(rules).toMatchObject({ Rules: [{ DeleteMarkerReplication: { Status: 'Disabled' } }] });
    expect(statementsOf(stateful.resources).flatMap(({ actions }) => actions)).not.toContain(
      's3:ReplicateDelete',
    );
  });

  it('end after the days that are configured', () => {
    vault.template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          Match.objectLike({ ExpirationInDays: 40, NoncurrentVersionExpiration: { NoncurrentDays: 30 } }),
        ]),
      },
    });
  });

  it('lie in a bucket that is versioned, lockable, private, and refuses plain HTTP', () => {
    vault.template.hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockEnabled: true,
      PublicAccessBlockConfiguration: { BlockPublicPolicy: true, RestrictPublicBuckets: true },
      LoggingConfiguration: Match.objectLike({ LogFilePrefix: 's3/vault/' }),
    });
    vault.template.resourcePropertiesCountIs(
      'AWS::S3::BucketPolicy',
      {
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ]),
        },
      },
      2,
    );
  });

  it('are made by a role that reads backups, writes copies, and uses each key through S3 in its region alone', () => {
    const statements = statementsOf(stateful.resources).filter(({ role }) => role.startsWith('Replication'));
    expect(statements.flatMap(({ actions }) => actions).sort()).toEqual([
      'kms:Decrypt',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      's3:GetObjectLegalHold',
      's3:GetObjectRetention',
      's3:GetObjectVersionAcl',
      's3:GetObjectVersionForReplication',
      's3:GetObjectVersionTagging',
      's3:GetReplicationConfiguration',
      's3:ListBucket',
      's3:ReplicateObject',
      's3:ReplicateTags',
    ]);
    const ofKeys = statements.filter(({ actions }) => actions.some((action) => action.startsWith('kms:')));
    expect(ofKeys.map(({ condition }) => condition)).toEqual([
      { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } },
      { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
    ]);
    for (const { resources } of statements) expect(resources).not.toContain('*');
  });
});

describe('Replicas of keys', () => {
  it('exist of every key, each with a policy of its own that gives nobody its use', () => {
    standby.template.resourceCountIs('AWS::KMS::ReplicaKey', 3);
    standby.template.allResourcesProperties('AWS::KMS::ReplicaKey', {
      PrimaryKeyArn: {
        'Fn::GetStackOutput': Match.objectLike({
          StackName: 'Mainstay-production-Stateful',
          Region: 'eu-central-1',
        }),
      },
    });
    for (const { Type, Properties, DeletionPolicy } of Object.values(standby.resources)) {
      if (Type !== 'AWS::KMS::ReplicaKey') continue;
      expect(JSON.stringify(Properties.KeyPolicy)).not.toContain('"kms:*"');
      expect(DeletionPolicy).toBe('RetainExceptOnCreate');
    }
  });

  it('let services of their own region use the data key', () => {
    const policies = JSON.stringify(standby.resources);
    expect(policies).toContain('sns.eu-west-1.amazonaws.com');
    expect(policies).not.toContain('sns.eu-central-1.amazonaws.com');
  });
});

describe('An alarm on replication', () => {
  it('is raised in the second region, where S3 measures the lag', () => {
    standby.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'mainstay-production-replication-lag',
      Namespace: 'AWS/S3',
      MetricName: 'ReplicationLatency',
      Threshold: 1200,
      Dimensions: [
        Match.objectLike({ Name: 'DestinationBucket' }),
        { Name: 'RuleId', Value: 'backups' },
        Match.objectLike({ Name: 'SourceBucket' }),
      ],
    });
  });

  it('is raised in the first region, where S3 counts what it gave up', () => {
    platform.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'mainstay-production-replication-failed',
      MetricName: 'OperationsFailedReplication',
      Threshold: 1,
    });
  });

  it('tells the same people, by a topic in its own region', () => {
    standby.template.hasResourceProperties('AWS::SNS::Subscription', { Endpoint: 'ops@example.com' });
  });
});

describe('Reading the copies', () => {
  const of = (words: string) =>
    statementsOf(platform.resources).filter(({ role }) => role.startsWith(`Recovery${words}Role`));

  it.each([
    ['VerifyChunk', 'kms:Decrypt'],
    ['PlanVerification', 'kms:VerifyMac'],
  ])('is for %s alone, by the replica of its key', (words, action) => {
    const regional = of(words).filter(({ resources }) =>
      resources.some((arn) => arn.includes(':kms:eu-west-1:')),
    );
    expect(regional.flatMap(({ actions }) => actions)).toContain(action);
    expect(
      regional.flatMap(({ actions }) => actions).filter((each) => !/^kms:(Decrypt|VerifyMac)$/.test(each)),
    ).toEqual([]);
  });

  it('is what the API is told that can be asked for', () => {
    const variables = Object.values(platform.resources).map(({ Properties }) =>
      JSON.stringify(Properties.Environment),
    );
    expect(variables.filter((text) => text?.includes('"KEY_SOURCES":"kms replica"'))).toHaveLength(1);
  });
});

describe('Adopting the backups of another deployment', () => {
  const statements = statementsOf(platform.resources);

  it.each([
    ['the copies', 'copies-of-another', ['RecoveryReencryptBackupRole', 'RecoveryReencryptObjectsRole']],
    [
      'the key of its backups',
      adopt.encryptionKeyArn,
      ['RecoveryReencryptBackupRole', 'RecoveryReencryptObjectsRole'],
    ],
    ['the key of its manifests', adopt.hmacKeyArn, ['RecoveryReencryptBackupRole']],
  ])('has %s used by the functions alone that store them anew', (_, name, roles) => {
    const using = statements.filter(({ resources }) => resources.some((arn) => arn.includes(name)));
    const found = using.map(({ role }) => role.replace(/Role.*$/, 'Role'));
    expect([...new Set(found)].sort()).toEqual(roles);
  });

  it('lets nobody write among the copies, or encrypt by those keys', () => {
    const using = statements.filter(({ resources }) =>
      resources.some((arn) => /copies-of-another|key\/mrk-(e{32}|a{32})/.test(arn)),
    );
    expect([...new Set(using.flatMap(({ actions }) => actions))].sort()).toEqual([
      ...['kms:Decrypt', 'kms:VerifyMac', 's3:GetObject', 's3:GetObjectVersion', 's3:ListBucket'],
    ]);
  });
});
