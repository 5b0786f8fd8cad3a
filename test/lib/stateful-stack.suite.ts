import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { maxShards } from '../../lib/config/data.ts';
import { postgresMajor } from '../../lib/constants.ts';
import { ofType, synthesize, synthesizeUnchecked } from './support.ts';

const { stateful } = synthesize('local');
const { template, resources } = stateful;

/** Types that hold what cannot be made again. */
const dataTypes = [
  'AWS::KMS::Key',
  'AWS::S3::Bucket',
  'AWS::DynamoDB::GlobalTable',
  'AWS::SecretsManager::Secret',
  'AWS::RDS::DBCluster',
  'AWS::RDS::DBInstance',
];
const data = Object.entries(resources).filter(([, { Type }]) => dataTypes.includes(Type));

describe('The Stateful stack', () => {
  it('never changes the logical id of what holds data, for CloudFormation would replace it', () => {
    expect(data.map(([id]) => id).sort()).toEqual([
      'BucketsAssets446D6E5B',
      'BucketsBackupsBucket20F88C3F',
      'BucketsEdgeLogsBucket34139A55',
      'BucketsLogsF3E46FAF',
      'EscrowPassphrase94386EB4',
      'KeysDataA2F7C5E6',
      'KeysEncryption703EF701',
      'KeysHmac37F3D72B',
      'SecretsAdminKey7CD4F5F7',
      'SecretsKeyPepper97532D07',
      'ShardshardaCluster9FF0D910',
      'ShardshardaClusterReader18ECA4E05',
      'ShardshardaClusterWriter5A79C24E',
      'ShardshardbClusterB250539E',
      'ShardshardbClusterReader128A8CF34',
      'ShardshardbClusterWriterD01C8D93',
      'TablesAccessTable53E7B7D5',
      'TablesAuditTable01B18F73',
      'TablesCdnTable87236900',
      'TablesIdempotencyTableE342B60D',
      'TablesLimitsTableC77D2E5E',
      'TablesMonitoringTable3927E817',
      'TablesRecoveryTable4E8CBAC2',
      'TablesShardsTable264DA308',
      'TablesTracingTable939A736C',
      'TablesWebhooksTableFBDD3B15',
    ]);
  });

  it.each(data)(
    'keeps %s when it is removed or replaced, unless its creation is rolled back',
    (id, resource) => {
      // Flow logs arrive early, and a bucket with something in it cannot be rolled back.
      const always = id === 'BucketsLogsF3E46FAF';
      expect(resource).toMatchObject({
        DeletionPolicy: always ? 'Retain' : 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
      });
    },
  );

  it('leaves no name behind that the next deployment would need when the first is rolled back', () => {
    for (const [, resource] of Object.entries(resources)) {
      const { DBClusterIdentifier, DBInstanceIdentifier, LogGroupName } = resource.Properties;
      if (
        [DBClusterIdentifier, DBInstanceIdentifier, LogGroupName].some((name) => typeof name === 'string')
      ) {
        expect(['Delete', 'RetainExceptOnCreate']).toContain(resource.DeletionPolicy);
      }
    }
  });

  it('is protected from deletion where the configuration says so, and by default in production alone', () => {
    const protection = ({ resources }: typeof stateful) =>
      Object.values(resources).flatMap(({ Type, Properties }) => {
        if (Type === 'AWS::RDS::DBCluster') return [Properties.DeletionProtection];
        if (Type !== 'AWS::DynamoDB::GlobalTable') return [];
        return [/"DeletionProtectionEnabled":(true|false)/.exec(JSON.stringify(Properties))?.[1] === 'true'];
      });
    expect(new Set(protection(stateful))).toEqual(new Set([false]));
    const production = synthesizeUnchecked('production', { profile: 'production' }).stateful;
    expect(protection(production)).toEqual(Array(11).fill(true));
  });

  it('exports nothing, so that every value can be removed again', () => {
    const outputs = Object.values(template.findOutputs('*'));
    expect(outputs.length).toBeGreaterThan(0);
    expect(outputs.filter((output) => 'Export' in output)).toEqual([]);
  });

  it('has room for the outputs of as many shards as the configuration allows', () => {
    const outputs = Object.keys(template.findOutputs('*'));
    const ofShardB = outputs.filter((name) => name.includes('Shardshardb'));
    const others = outputs.filter((name) => !/Shardshard[ab]/.test(name));
    expect(ofShardB.length).toBeGreaterThan(0);
    expect(others.length + maxShards * ofShardB.length).toBeLessThanOrEqual(200);
  });

  it('brings no function of the CDK’s own', () => {
    template.resourceCountIs('AWS::Lambda::Function', 0);
  });
});

describe('Keys', () => {
  it('are multi-Region from the first deploy', () => {
    template.allResourcesProperties('AWS::KMS::Key', { MultiRegion: true });
  });

  it('rotate where KMS can rotate them', () => {
    const rotating = ofType(stateful, 'AWS::KMS::Key').map(([, { Properties }]) => [
      Properties.KeySpec ?? 'symmetric',
      Properties.EnableKeyRotation ?? false,
    ]);
    expect(rotating.sort()).toEqual([
      ['HMAC_256', false],
      ['symmetric', true],
      ['symmetric', true],
    ]);
  });

  it('let the account administer them but not use them without a policy that says so', () => {
    for (const [, { Properties }] of ofType(stateful, 'AWS::KMS::Key')) {
      const policy = JSON.stringify(Properties.KeyPolicy);
      expect(policy).not.toContain('"kms:*"');
      expect(policy).toContain('kms:ScheduleKeyDeletion');
    }
  });

  it('let the data key be used through services alone', () => {
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { AWS: '*' },
            Condition: {
              StringEquals: {
                'kms:CallerAccount': { Ref: 'AWS::AccountId' },
                'kms:ViaService': Match.anyValue(),
              },
            },
          }),
        ]),
      },
    });
  });
});

describe('Buckets', () => {
  it('are never public, own their objects, and refuse plain HTTP', () => {
    template.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    template.resourcePropertiesCountIs(
      'AWS::S3::BucketPolicy',
      {
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Effect: 'Deny',
              Action: 's3:*',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
          ]),
        },
      },
      4,
    );
  });

  it('keep backups versioned, lockable, encrypted, and clean up behind them', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: [
          {
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            NoncurrentVersionExpiration: { NoncurrentDays: 7 },
            ExpiredObjectDeleteMarker: true,
            Status: 'Enabled',
          },
          { Prefix: 'verifications/', ExpirationInDays: 14, Status: 'Enabled' },
          { Prefix: 'restores/', ExpirationInDays: 14, Status: 'Enabled' },
          { Prefix: 'drills/', ExpirationInDays: 400, Status: 'Enabled' },
          ...['uploads/', 'work/', 'scratch/'].map((Prefix) => ({
            Prefix,
            ExpirationInDays: 1,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            Status: 'Enabled',
          })),
        ],
      },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      LoggingConfiguration: Match.objectLike({ LogFilePrefix: 's3/backups/' }),
    });
  });

  it('encrypt backups with their key, and with those of S3 where a passphrase opens them without it', () => {
    const of = (found: typeof resources) => found.BucketsBackupsBucket20F88C3F?.Properties.BucketEncryption;
    expect(of(synthesizeUnchecked('dev').stateful.resources)).toEqual({
      ServerSideEncryptionConfiguration: [
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: {
            SSEAlgorithm: 'aws:kms',
            KMSMasterKeyID: { 'Fn::GetAtt': ['KeysEncryption703EF701', 'Arn'] },
          },
        },
      ],
    });
    expect(of(resources)).toEqual({
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    });
  });

  it('lock objects only when the configuration says so', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      ObjectLockConfiguration: Match.absent(),
    });
  });
});

describe('Tables', () => {
  it('can be restored to any second, are encrypted with our key, and forget by themselves', () => {
    template.resourceCountIs('AWS::DynamoDB::GlobalTable', 10);
    template.allResourcesProperties('AWS::DynamoDB::GlobalTable', {
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      Replicas: [
        Match.objectLike({
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { KMSMasterKeyId: { 'Fn::GetAtt': ['KeysDataA2F7C5E6', 'Arn'] } },
        }),
      ],
    });
  });
});

describe('The network', () => {
  it('has no way to the internet', () => {
    for (const type of ['AWS::EC2::InternetGateway', 'AWS::EC2::NatGateway', 'AWS::EC2::Route']) {
      template.resourceCountIs(type, 0);
    }
  });

  it('reaches S3 and DynamoDB by gateway endpoints, KMS by one interface endpoint in one zone', () => {
    template.resourcePropertiesCountIs('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' }, 2);
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      VpcEndpointType: 'Interface',
      PrivateDnsEnabled: true,
      SubnetIds: [Match.anyValue()],
    });
  });

  it('lets functions into the databases and nobody else', () => {
    const rules = ofType(stateful, 'AWS::EC2::SecurityGroupIngress').map(([, { Properties }]) => Properties);
    const clients = { 'Fn::GetAtt': ['NetworkClientsD2C4FBFD', 'GroupId'] };
    expect(rules.map(({ SourceSecurityGroupId }) => SourceSecurityGroupId)).toEqual([
      clients,
      clients,
      clients,
    ]);
    for (const [, { Properties }] of ofType(stateful, 'AWS::EC2::SecurityGroup')) {
      expect(Properties).not.toHaveProperty('SecurityGroupIngress');
    }
  });

  it('records connections in the log bucket', () => {
    template.hasResourceProperties('AWS::EC2::FlowLog', { LogDestinationType: 's3', TrafficType: 'REJECT' });
  });
});

describe('A shard', () => {
  it('is an Aurora PostgreSQL Serverless v2 cluster of the major version that runs locally', () => {
    template.resourceCountIs('AWS::RDS::DBCluster', 2);
    template.allResourcesProperties('AWS::RDS::DBCluster', {
      Engine: 'aurora-postgresql',
      EngineVersion: Match.stringLikeRegexp(`^${postgresMajor}\\.`),
      DatabaseName: 'platform',
      ServerlessV2ScalingConfiguration: Match.objectLike({ MinCapacity: 0, MaxCapacity: 4 }),
    });
    template.hasResourceProperties('AWS::RDS::DBClusterParameterGroup', {
      Family: `aurora-postgresql${postgresMajor}`,
    });
  });

  it('takes IAM logins over TLS, and has a master password that only RDS and bootstrap see', () => {
    template.allResourcesProperties('AWS::RDS::DBCluster', {
      EnableIAMDatabaseAuthentication: true,
      ManageMasterUserPassword: true,
      MasterUsername: 'mainstay_master',
      MasterUserPassword: Match.absent(),
      MasterUserSecret: { KmsKeyId: { 'Fn::GetAtt': ['KeysDataA2F7C5E6', 'Arn'] } },
    });
    template.allResourcesProperties('AWS::RDS::DBClusterParameterGroup', {
      Parameters: Match.objectLike({ 'rds.force_ssl': '1' }),
    });
  });

  it('is encrypted, backed up by Aurora, and exports its log', () => {
    template.allResourcesProperties('AWS::RDS::DBCluster', {
      StorageEncrypted: true,
      KmsKeyId: { 'Fn::GetAtt': ['KeysDataA2F7C5E6', 'Arn'] },
      BackupRetentionPeriod: 1,
      CopyTagsToSnapshot: true,
      EnableCloudwatchLogsExports: ['postgresql'],
    });
  });

  it('has a writer, and a reader that can take over at once', () => {
    template.resourceCountIs('AWS::RDS::DBInstance', 4);
    template.resourcePropertiesCountIs('AWS::RDS::DBInstance', { PromotionTier: 0 }, 2);
    template.resourcePropertiesCountIs('AWS::RDS::DBInstance', { PromotionTier: 1 }, 2);
    template.allResourcesProperties('AWS::RDS::DBInstance', { PubliclyAccessible: false });
  });
});

describe('Secrets', () => {
  it('are encrypted with our key; the admin key has no value until bootstrap makes one', () => {
    template.allResourcesProperties('AWS::SecretsManager::Secret', {
      KmsKeyId: { 'Fn::GetAtt': ['KeysDataA2F7C5E6', 'Arn'] },
    });
    expect(resources.SecretsAdminKey7CD4F5F7?.Properties).not.toHaveProperty('GenerateSecretString');
    expect(resources.SecretsAdminKey7CD4F5F7?.Properties).not.toHaveProperty('SecretString');
    expect(resources.SecretsKeyPepper97532D07?.Properties).toMatchObject({
      GenerateSecretString: { PasswordLength: 64 },
    });
  });
});

describe('The escrow', () => {
  const passphrases = (found: typeof resources) =>
    Object.entries(found).filter(([id]) => id.startsWith('EscrowPassphrase'));

  it('has a secret that is encrypted by another key than backups, and none where it is not wanted', () => {
    expect(passphrases(resources).map(([, { Properties }]) => Properties.KmsKeyId)).toEqual([
      { 'Fn::GetAtt': ['KeysDataA2F7C5E6', 'Arn'] },
    ]);
    expect(passphrases(synthesizeUnchecked('dev').stateful.resources)).toEqual([]);
  });

  it('is empty until somebody puts the passphrase, unless it is to be made up', () => {
    expect(passphrases(resources)[0]?.[1].Properties).toHaveProperty('GenerateSecretString');
    const own = synthesizeUnchecked('dev', { backup: { escrow: { enabled: true } } });
    expect(passphrases(own.stateful.resources)[0]?.[1].Properties).not.toHaveProperty('GenerateSecretString');
  });

  it('lets the key of data be used directly to seal wrapping keys, and for nothing else', () => {
    const policy = JSON.stringify(resources.KeysDataA2F7C5E6?.Properties.KeyPolicy);
    expect(policy).toContain(
      '"Condition":{"StringEquals":{"kms:EncryptionContext:mainstay:purpose":"escrow"}},"Effect":"Allow"',
    );
  });
});
