import { Aws, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { BundledFunction } from './function.ts';
import { kept } from './kept.ts';

export interface TableProps {
  key: kms.IKey;
  /** DynamoDB refuses to delete the table. */
  deletionProtection: boolean;
  /** The environment variable by which functions know this table. */
  environmentName: string;
}

const readActions = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'] as const;
const writeActions = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'] as const;
/** Many items at once are put by those that only ever put. */
export type TableAction =
  | (typeof readActions)[number]
  | (typeof writeActions)[number]
  | 'dynamodb:BatchWriteItem';
/** Actions on items that the request names by their keys. */
export type ItemAction = Exclude<TableAction, 'dynamodb:Query'>;

const index = 'gsi1';
const keySchema = (partition: string, sort: string) => [
  { attributeName: partition, keyType: 'HASH' },
  { attributeName: sort, keyType: 'RANGE' },
];

/**
 * A capability's table: keys `pk` and `sk`, one index `gsi1`, items that end at `expiresAt` (Unix seconds),
 * point-in-time recovery. It stays when the stack is deleted.
 *
 * A global table with one replica, so that another region can be added without replacing it. The CDK's own class
 * cannot encrypt one with a key of ours where the region is known only at deploy time.
 */
export class Table extends Construct {
  private readonly table: dynamodb.CfnGlobalTable;
  private readonly environmentName: string;

  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id);
    this.environmentName = props.environmentName;
    this.table = new dynamodb.CfnGlobalTable(this, 'Table', {
      attributeDefinitions: ['pk', 'sk', 'gsi1pk', 'gsi1sk'].map((attributeName) => ({
        attributeName,
        attributeType: 'S',
      })),
      keySchema: keySchema('pk', 'sk'),
      globalSecondaryIndexes: [
        { indexName: index, keySchema: keySchema('gsi1pk', 'gsi1sk'), projection: { projectionType: 'ALL' } },
      ],
      billingMode: 'PAY_PER_REQUEST',
      timeToLiveSpecification: { attributeName: 'expiresAt', enabled: true },
      sseSpecification: { sseEnabled: true, sseType: 'KMS' },
      replicas: [
        {
          region: Aws.REGION,
          sseSpecification: { kmsMasterKeyId: props.key.keyArn },
          pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
          deletionProtectionEnabled: props.deletionProtection,
        },
      ],
    });
    this.table.applyRemovalPolicy(kept);
  }

  /** Lets a function read and query items, and tells it the table's name. */
  grantRead(fn: BundledFunction): void {
    this.grant(fn, readActions);
  }

  /** Lets a function read, query and change items, and tells it the table's name. */
  grantReadWrite(fn: BundledFunction): void {
    this.grant(fn, [...readActions, ...writeActions]);
  }

  /** Lets a function do exactly these things, and tells it the table's name. */
  grant(fn: BundledFunction, actions: readonly TableAction[]): void {
    const arn = this.arn;
    fn.allow(actions, actions.includes('dynamodb:Query') ? [arn, `${arn}/index/${index}`] : [arn]);
    fn.addEnvironment(this.environmentName, this.table.ref);
  }

  /**
   * Lets a function do exactly these things to some items, and tells it the table's name.
   *
   * @param partitions partition keys of those items, in which `*` stands for any characters.
   */
  grantItems(fn: BundledFunction, actions: readonly ItemAction[], partitions: readonly string[]): void {
    fn.policies.addToPolicy(
      new iam.PolicyStatement({
        actions: [...actions],
        resources: [this.arn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...partitions] } },
      }),
    );
    fn.addEnvironment(this.environmentName, this.table.ref);
  }

  /** The table's name. */
  get tableName(): string {
    return this.table.ref;
  }

  /** Of the name, so that one value of the table crosses stacks and not two: a stack has room for 200. */
  private get arn(): string {
    return Stack.of(this).formatArn({
      service: 'dynamodb',
      resource: 'table',
      resourceName: this.table.ref,
    });
  }
}
