import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { clusterName, masterUsername, postgresMajor } from '../constants.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { keepAll, kept } from '../constructs/kept.ts';
import type { ClusterEndpoint, ShardProps } from './shard.ts';

const version = rds.AuroraPostgresEngineVersion.VER_18_6;
if (version.auroraPostgresMajorVersion !== String(postgresMajor)) {
  throw new Error(
    `Aurora ${version.auroraPostgresFullVersion} is not PostgreSQL ${postgresMajor}; change both together`,
  );
}

/** Minutes without a connection after which an instance whose least capacity is 0 pauses. */
const autoPauseMinutes = 15;

/** Creates a shard's Aurora PostgreSQL cluster, serverless or of a class: a writer, readers, IAM logins, TLS only. */
export function createCluster(
  scope: Construct,
  { environment, shard, config, network, key }: ShardProps,
): ClusterEndpoint {
  const clusterIdentifier = clusterName(environment, shard.name);
  const engine = rds.DatabaseClusterEngine.auroraPostgres({ version });

  // RDS would create it without an end to what it keeps.
  const log = new logs.LogGroup(scope, 'Log', {
    logGroupName: `/aws/rds/cluster/${clusterIdentifier}/postgresql`,
    retention: config.logs.retentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const group = new ec2.SecurityGroup(scope, 'Group', {
    vpc: network.vpc,
    description: `Database of shard ${shard.name}`,
    allowAllOutbound: false,
  });
  const advanced = config.database.insights === 'advanced';
  const insights = {
    enablePerformanceInsights: true,
    performanceInsightEncryptionKey: key,
    // The advanced mode wants to keep 15 months.
    performanceInsightRetention: advanced
      ? rds.PerformanceInsightRetention.MONTHS_15
      : rds.PerformanceInsightRetention.DEFAULT,
  };
  const instance = (suffix: string) => ({
    ...insights,
    instanceIdentifier: `${clusterIdentifier}-${suffix}`,
    publiclyAccessible: false,
  });
  const cluster = new rds.DatabaseCluster(scope, 'Cluster', {
    clusterIdentifier,
    engine,
    defaultDatabaseName: shard.database,
    credentials: rds.Credentials.fromUsername(masterUsername),
    manageMasterUserPassword: true,
    iamAuthentication: true,
    parameterGroup: new rds.ParameterGroup(scope, 'Parameters', {
      engine,
      description: `Parameters of shard ${shard.name}`,
      parameters: {
        'rds.force_ssl': '1',
        // As RDS has it by default; said here, because slow statements are counted by it.
        shared_preload_libraries: 'pg_stat_statements',
        log_min_duration_statement: String(config.database.slowQueryMs),
      },
    }),
    vpc: network.vpc,
    vpcSubnets: network.subnets,
    securityGroups: [group],
    ...sizes(shard, instance),
    storageEncrypted: true,
    storageEncryptionKey: key,
    backup: { retention: Duration.days(config.database.pointInTimeDays) },
    copyTagsToSnapshot: true,
    cloudwatchLogsExports: ['postgresql'],
    ...insights,
    databaseInsightsMode: advanced ? rds.DatabaseInsightsMode.ADVANCED : rds.DatabaseInsightsMode.STANDARD,
    ...(config.database.enhancedMonitoringSeconds > 0 && {
      monitoringInterval: Duration.seconds(config.database.enhancedMonitoringSeconds),
      monitoringRole: createMonitoringRole(scope),
    }),
    deletionProtection: config.deletionProtection,
    removalPolicy: kept,
  });
  keepAll(cluster, ['AWS::RDS::DBInstance', 'AWS::RDS::DBSubnetGroup']);
  if (!config.deletionProtection) acknowledge(cluster, unprotected);
  cluster.node.addDependency(log);
  cluster.connections.allowDefaultPortFrom(network.clients, 'Functions that reach the databases');

  const resource = cluster.node.defaultChild;
  if (!(resource instanceof rds.CfnDBCluster))
    throw new Error(`${cluster.node.path} has no cluster resource`);
  resource.masterUserSecret = { kmsKeyId: key.keyArn };
  return {
    clusterIdentifier: cluster.clusterIdentifier,
    resourceId: cluster.clusterResourceIdentifier,
    writerHost: cluster.clusterEndpoint.hostname,
    writerPort: String(cluster.clusterEndpoint.port),
    masterSecretArn: resource.attrMasterUserSecretSecretArn,
  };
}

/** A writer and its readers, by their names in the cluster. The first reader takes over when the writer fails. */
function sizes(
  { capacity: { minAcu, maxAcu }, instanceClass, readers }: ShardProps['shard'],
  instance: (suffix: string) => rds.ClusterInstanceOptions,
): Pick<
  rds.DatabaseClusterProps,
  | 'writer'
  | 'readers'
  | 'serverlessV2MinCapacity'
  | 'serverlessV2MaxCapacity'
  | 'serverlessV2AutoPauseDuration'
> {
  const indexes = Array.from({ length: readers }, (_, index) => index);
  if (instanceClass !== undefined) {
    const instanceType = new ec2.InstanceType(instanceClass.replace(/^db[.]/, ''));
    const { provisioned } = rds.ClusterInstance;
    return {
      writer: provisioned('Writer', { ...instance('writer'), instanceType }),
      readers: indexes.map((index) =>
        provisioned(`Reader${index + 1}`, {
          ...instance(`reader-${index + 1}`),
          instanceType,
          promotionTier: index === 0 ? 1 : 2,
        }),
      ),
    };
  }
  const { serverlessV2 } = rds.ClusterInstance;
  return {
    serverlessV2MinCapacity: minAcu,
    serverlessV2MaxCapacity: maxAcu,
    ...(minAcu === 0 && { serverlessV2AutoPauseDuration: Duration.minutes(autoPauseMinutes) }),
    writer: serverlessV2('Writer', instance('writer')),
    readers: indexes.map((index) =>
      serverlessV2(`Reader${index + 1}`, {
        ...instance(`reader-${index + 1}`),
        // It is as large as the writer, so that it can take over.
        scaleWithWriter: index === 0,
      }),
    ),
  };
}

const unprotected = {
  'AwsSolutions-RDS10':
    'Switched off by the setting deletionProtection, as for development, for a first deployment that may have to be rolled back, and to uninstall. CloudFormation still keeps the cluster when it leaves the stack, and Aurora its continuous backup; deleting it takes a person with rds:DeleteDBCluster. The production profile switches it on.',
};

/** The role with which RDS publishes operating system metrics. */
function createMonitoringRole(scope: Construct): iam.Role {
  const policy = 'service-role/AmazonRDSEnhancedMonitoringRole';
  const role = new iam.Role(scope, 'Monitoring', {
    description: 'RDS publishes operating system metrics',
    assumedBy: new iam.ServicePrincipal('monitoring.rds.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName(policy)],
  });
  acknowledge(role, {
    [`AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`]:
      'The policy that RDS documents for this role. It writes to the log groups RDSOSMetrics alone, only the monitoring service of this account may assume it, and AWS keeps it in step with the service.',
  });
  return role;
}
