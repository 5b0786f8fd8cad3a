import type { JsonApi } from '../aws/api.ts';
import type { Authorization, OperationContext } from '../aws/operation.ts';
import type { MetricDatum } from '../cloudwatch/metric.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { KmsService } from '../kms/kms-service.ts';
import type { Service } from '../service.ts';
import { consumption } from './consumption.ts';
import { dataOperations } from './data-operations.ts';
import { DynamoEngine } from './engine.ts';
import { changedTable, createTableInput, type TableDefinition } from './table-definition.ts';
import { tableOperations } from './table-operations.ts';

export interface DynamoDbOptions {
  /** Items are kept here in `dynamodb/`. One process at a time may use it. */
  directory: string;
  /** Learns the resource policies of tables. */
  authorizer: Pick<Authorizer, 'setResourcePolicy'>;
  /** Says what a caller needs on the customer key of a table; without it a table cannot have one. */
  kms?: Pick<KmsService, 'useBy'>;
  /** Takes the metrics of `AWS/DynamoDB`: the capacity that requests use, by table. */
  recordMetric?(datum: MetricDatum): void;
  /** Default `000000000000`. */
  accountId?: string;
  /** Default `us-east-1`. */
  region?: string;
}

/** Settings of a table that dynalite does not keep. */
export type TableSettings = Pick<
  TableDefinition,
  'TimeToLiveSpecification' | 'pointInTimeRecovery' | 'deletionProtection' | 'kmsKeyId'
>;

/**
 * DynamoDB by dynalite, in this process. It has no transactions and no streams, and, as AWS may for
 * two days, it goes on returning expired items.
 */
export class DynamoDbService implements Service {
  readonly name = 'dynamodb';
  readonly api: JsonApi;
  readonly #options: DynamoDbOptions;
  readonly #engine: DynamoEngine;
  readonly #settings = new Map<string, TableSettings>();

  constructor(options: DynamoDbOptions) {
    this.#options = options;
    this.#engine = new DynamoEngine(options.directory);
    this.api = {
      protocol: 'json',
      signingName: 'dynamodb',
      targetPrefix: 'DynamoDB_20120810',
      jsonVersion: '1.0',
      operations: {
        ...dataOperations(
          this.#engine,
          (table, context) => this.#keyUse(table, context),
          consumption(options.recordMetric),
        ),
        ...tableOperations(this.#engine, this.#settings),
      },
    };
  }

  /** Opens what an earlier process left, also one that was killed. */
  start(): Promise<void> {
    return this.#engine.open(this.#options.accountId ?? '000000000000', this.#options.region ?? 'us-east-1');
  }

  stop(): Promise<void> {
    return this.#engine.close();
  }

  /**
   * Creates a table, or brings its indexes and settings up to date; resolves when it is active.
   *
   * Throws an `Error` when the key of an existing table would change.
   */
  async ensureTable(definition: TableDefinition): Promise<{ name: string; arn: string }> {
    const { TableName: name, kmsKeyId } = definition;
    if (kmsKeyId !== undefined && !this.#options.kms)
      throw new Error(`The table ${name} has a key, but there is no KMS`);
    const stored = (await this.#engine.tables()).find((table) => table.TableName === name);
    if (!stored) {
      await this.#engine.execute('CreateTable', createTableInput(definition));
      await this.#active(name);
    } else {
      const changed = changedTable(stored, definition);
      if (changed) {
        await this.#engine.putTable(changed);
        await this.#engine.rebuildIndexes(changed);
      }
    }
    const arn = String((await this.#engine.table(name)).TableArn);
    this.#settings.set(name, definition);
    if (definition.policy !== undefined) this.#options.authorizer.setResourcePolicy(arn, definition.policy);
    return { name, arn };
  }

  /** The table's own key is opened with the caller's permission on the customer key. */
  #keyUse(table: string, { accountId }: OperationContext): Authorization[] {
    const { kms } = this.#options;
    const kmsKeyId = this.#settings.get(table)?.kmsKeyId;
    if (kms === undefined || kmsKeyId === undefined) return [];
    const encryptionContext = { 'aws:dynamodb:tableName': table, 'aws:dynamodb:subscriberId': accountId };
    return [kms.useBy('dynamodb', kmsKeyId, 'kms:Decrypt', encryptionContext)];
  }

  async #active(name: string): Promise<void> {
    for (;;) {
      if ((await this.#engine.table(name)).TableStatus === 'ACTIVE') return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
