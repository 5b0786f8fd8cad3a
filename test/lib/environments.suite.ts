import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { mainstay, ofType, synthesize, synthesizeUnchecked } from './support.ts';
import { statementsOf } from './template.ts';

/** Synthesizing runs the security checks too, and fails with what they find. */
describe('Every environment of cdk.json', () => {
  it.each(Object.keys(mainstay.environments))(
    'synthesizes, and its security checks find nothing: %s',
    (name) => {
      const { stateful, platform } = synthesize(name);
      expect(Object.keys(stateful.resources).length).toBeGreaterThan(30);
      expect(Object.keys(platform.resources).length).toBeGreaterThan(100);
    },
  );
});

describe('The settings', () => {
  const { stateful, platform } = synthesizeUnchecked('production', {
    profile: 'production',
    account: '123456789012',
    region: 'eu-central-1',
    database: { insights: 'advanced' },
    backup: {
      objectLock: { mode: 'COMPLIANCE', days: 14 },
      missedAfterHours: 50,
      schedule: 'rate(12 hours)',
      tenants: { key: { column: 'tenant_id', tables: { 'app.notes': 'owner' } } },
    },
    sharding: {
      entities: [
        {
          kind: 'user',
          tables: [
            { table: 'users', column: 'id' },
            { table: 'app.notes', column: 'author' },
          ],
        },
      ],
    },
    api: { corsOrigins: ['https://console.example.com'], throttle: { requestsPerSecond: 7, burst: 9 } },
    alarms: { emails: ['ops@example.com'], runbookBaseUrl: 'https://example.com/runbooks/' },
    logs: { level: 'WARN', retentionDays: 30 },
  });

  it('lock stored objects', () => {
    stateful.template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 14 } },
      },
    });
  });

  it('monitor databases more closely', () => {
    stateful.template.allResourcesProperties('AWS::RDS::DBInstance', { MonitoringInterval: 60 });
    stateful.template.hasResourceProperties('AWS::RDS::DBCluster', {
      DatabaseInsightsMode: 'advanced',
      PerformanceInsightsRetentionPeriod: 465,
    });
  });

  it('subscribe people to alarms, with somewhere for what cannot be delivered', () => {
    platform.template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
      RedrivePolicy: Match.anyValue(),
    });
  });

  it('link runbooks where they are read', () => {
    for (const [, { Properties }] of ofType(platform, 'AWS::CloudWatch::Alarm')) {
      expect(Properties.AlarmDescription).toMatch(
        /\nRunbook: https:\/\/example\.com\/runbooks\/[a-z-]+\.md$/,
      );
    }
  });

  it('set how long a missing backup is tolerated', () => {
    platform.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'mainstay-production-backup-missed',
      EvaluationPeriods: 50,
      Period: 3600,
    });
  });

  it('seed the schedules of backups and how long they are kept', () => {
    platform.template.hasResourceProperties('Custom::MainstayBootstrap', {
      Automation: { Full: 'rate(12 hours)', Incremental: 'rate(6 hours)', RetentionDays: '30' },
    });
  });

  it('name to bootstrap what may be counted, and nothing else', () => {
    platform.template.hasResourceProperties('Custom::MainstayBootstrap', {
      Counted: [
        { Schema: 'public', Table: 'users', Key: 'id', Tenant: 'tenant_id' },
        { Schema: 'app', Table: 'notes', Key: 'author', Tenant: 'owner' },
      ],
    });
  });

  it('limit the API and open it to browsers', () => {
    platform.template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 7, ThrottlingBurstLimit: 9 },
    });
    platform.template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: Match.objectLike({ AllowOrigins: ['https://console.example.com'] }),
    });
  });

  it('set level and retention of logs', () => {
    platform.template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    for (const [, { Properties }] of ofType(platform, 'AWS::Lambda::Function')) {
      expect(Properties).toMatchObject({ Environment: { Variables: { POWERTOOLS_LOG_LEVEL: 'WARN' } } });
    }
  });
});

describe('An adopted cluster', () => {
  const { stateful, platform, stack } = synthesizeUnchecked('dev', {
    network: {
      adopt: {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-central-1a'],
        subnetIds: ['subnet-0123456789abcdef0'],
      },
    },
    shards: [
      {
        name: 'legacy',
        database: 'shop',
        adopt: {
          clusterIdentifier: 'legacy',
          resourceId: 'cluster-ABCDEFGHIJKLMNOP',
          writerHost: 'legacy.example.com',
          writerPort: 5433,
          securityGroupId: 'sg-0123456789abcdef0',
        },
        failover: {
          action: 'global',
          globalClusterIdentifier: 'shops',
          globalMembers: [{ region: 'eu-west-1', cidr: '10.43.0.0/16', port: 5434 }],
        },
      },
    ],
  });

  it('is left as it is, but for one rule that lets the functions in', () => {
    stateful.template.resourceCountIs('AWS::RDS::DBCluster', 0);
    stateful.template.resourceCountIs('AWS::EC2::VPC', 0);
    stateful.template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      GroupId: 'sg-0123456789abcdef0',
      FromPort: 5433,
      ToPort: 5433,
    });
  });

  it('is known to bootstrap without a master secret', () => {
    platform.template.hasResourceProperties('Custom::MainstayBootstrap', {
      Shards: [
        {
          Name: 'legacy',
          ClusterIdentifier: 'legacy',
          ResourceId: 'cluster-ABCDEFGHIJKLMNOP',
          Database: 'shop',
          WriterHost: 'legacy.example.com',
          WriterPort: '5433',
          MasterSecretArn: Match.absent(),
        },
      ],
    });
  });

  it('is reached, read of and failed over in the regions of its global database, and in no other', () => {
    stateful.template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: Match.arrayWith([
        Match.objectLike({ CidrIp: '10.43.0.0/16', FromPort: 5434, ToPort: 5434 }),
      ]),
    });
    const statements = statementsOf(stack('Databases').resources);
    const resourcesOf = (action: string) =>
      statements
        .filter(({ actions }) => actions.includes(action))
        .map(({ resources }) => resources.toSorted());
    const perRegion = (service: string, resource: string) =>
      ['<AWS::Region>', 'eu-west-1'].map(
        (region) => `arn:<AWS::Partition>:${service}:${region}:<AWS::AccountId>:${resource}`,
      );
    for (const user of ['failover', 'probe', 'stats', 'maintain']) {
      expect(resourcesOf('rds-db:connect')).toContainEqual(
        perRegion('rds-db', `dbuser:cluster-*/mainstay_${user}`),
      );
    }
    const global = 'arn:<AWS::Partition>:rds::<AWS::AccountId>:global-cluster:shops';
    expect(resourcesOf('rds:FailoverGlobalCluster')).toEqual([
      [global, ...perRegion('rds', 'cluster:*')].toSorted(),
    ]);
    expect(resourcesOf('rds:DescribeDBInstances')).toContainEqual(perRegion('rds', 'db:*'));
  });
});
