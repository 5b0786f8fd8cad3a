import { CustomResource, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type * as z from 'zod';
import { bootstrapContract, type bootstrapProperties } from '../../functions/bootstrap/contract.ts';
import type { Access } from '../access/access.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { Recovery } from '../recovery/recovery.ts';
import { countedOf } from '../shards/balance.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { Schedules } from './schedules.ts';

export interface BootstrapProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  access: Access;
  /** The workflow that schedules start, and the function that its users change the schedules by. */
  recovery: Recovery;
}

/** What CloudFormation passes on, before it turns everything into text. */
type Properties = Omit<z.input<typeof bootstrapProperties>, 'ServiceToken' | 'ServiceTimeout'>;

const databaseTimeout = Duration.minutes(5);
const resourceTimeout = Duration.minutes(15);

/** Prepares what a deployment needs once: database roles, the first admin key, default schedules and retention. */
export class Bootstrap extends Construct {
  constructor(scope: Construct, id: string, props: BootstrapProps) {
    super(scope, id);
    const { settings, stateful, recovery } = props;
    const database = new BundledFunction(this, 'Database', {
      settings,
      contract: bootstrapContract,
      name: 'database',
      description: 'Creates the database roles of a shard',
      memoryMiB: 256,
      timeout: databaseTimeout,
      network: stateful.network,
    });
    const customResource = new BundledFunction(this, 'CustomResource', {
      settings,
      contract: bootstrapContract,
      name: 'custom-resource',
      description: 'Prepares a deployment when CloudFormation asks for it',
      memoryMiB: 512,
      timeout: resourceTimeout,
    });
    const schedules = new Schedules(this, 'Schedules', {
      environment: settings.environment,
      backups: recovery.backups,
    });

    stateful.tables.shards.grant(customResource, ['dynamodb:UpdateItem']);
    props.access.grantIssue(customResource);
    stateful.secrets.grantKeepAdminKey(customResource);
    for (const shard of stateful.shards) shard.grantReadMasterSecret(customResource);
    database.grantInvoke(customResource, 'DATABASE_FUNCTION_ARN');
    schedules.grantSeed(customResource);
    stateful.tables.recovery.grant(customResource, ['dynamodb:GetItem', 'dynamodb:PutItem']);
    if (stateful.escrow !== undefined) {
      recovery.functions['derive-escrow'].grantInvoke(customResource, 'ESCROW_FUNCTION_ARN');
    }
    schedules.grantManage(recovery.functions.api);

    const { backup } = settings.config;
    const properties: Properties = {
      Revision: settings.bundles.revisionOf('bootstrap'),
      Shards: stateful.shards.map(({ name, database: databaseName, cluster }) => ({
        Name: name,
        ClusterIdentifier: cluster.clusterIdentifier,
        ResourceId: cluster.resourceId,
        Database: databaseName,
        WriterHost: cluster.writerHost,
        WriterPort: cluster.writerPort,
        ...(cluster.masterSecretArn !== undefined && { MasterSecretArn: cluster.masterSecretArn }),
      })),
      Slots: String(settings.config.sharding.slots),
      Counted: countedTables(settings.config),
      Automation: {
        Full: backup.schedule,
        ...(backup.incrementalSchedule !== null && { Incremental: backup.incrementalSchedule }),
        RetentionDays: String(backup.retentionDays),
      },
    };
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::MainstayBootstrap',
      serviceToken: customResource.function.functionArn,
      serviceTimeout: resourceTimeout.plus(Duration.minutes(1)),
      properties,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    resource.node.addDependency(recovery.functions['derive-escrow']);
    // The functions with their policies, and the group and the role that its schedules need.
    resource.node.addDependency(database, customResource, schedules);
  }
}

/** What analyses count, and so the only tables whose contents the role of statistics is told anything of. */
function countedTables(config: DeploymentConfig): Properties['Counted'] {
  const { tables, tenantColumn, tenantColumns } = countedOf(config);
  return tables.map(({ table: qualified, column }) => {
    const [schema = '', table = ''] = qualified.split('.');
    const tenant = tenantColumns[qualified] ?? tenantColumn;
    return { Schema: schema, Table: table, Key: column, ...(tenant !== undefined && { Tenant: tenant }) };
  });
}
