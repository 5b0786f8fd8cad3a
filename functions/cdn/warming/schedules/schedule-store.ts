import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import { onDependency } from '../../../shared/dependency.ts';
import { mostSchedules, type ScheduleId, type ScheduleRecord, scheduleRecordSchema } from './model.ts';

const pk = 'WARMING_SCHEDULES';

/** The schedules of warmings: what each of them warms. When it does is known to EventBridge Scheduler as well. */
export class ScheduleStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** All of them, oldest first; a few more than are allowed, where two were made at the same time. @throws DependencyError */
  async list(): Promise<ScheduleRecord[]> {
    const { Items = [] } = await onDependency('DynamoDB', 'Query', () =>
      this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': pk },
          Limit: mostSchedules * 2,
        }),
      ),
    );
    return Items.map((item) => scheduleRecordSchema.parse(item));
  }

  async get(id: ScheduleId): Promise<ScheduleRecord | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(
        new GetCommand({ TableName: this.#table, Key: { pk, sk: id }, ConsistentRead: true }),
      ),
    );
    return Item === undefined ? undefined : scheduleRecordSchema.parse(Item);
  }

  /** Keeps one; again, it is the same. @throws DependencyError */
  async put(record: ScheduleRecord): Promise<void> {
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item: { ...record, pk, sk: record.id } })),
    );
  }

  async remove(id: ScheduleId): Promise<void> {
    await onDependency('DynamoDB', 'DeleteItem', () =>
      this.#client.send(new DeleteCommand({ TableName: this.#table, Key: { pk, sk: id } })),
    );
  }
}
