import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import { type MaintenanceReport, maintenanceReportSchema } from './model.ts';

/** Partition of the shards table. */
export const maintenancePartition = 'MAINTENANCE';

const itemSchema = z.object({ report: maintenanceReportSchema });

/** What the latest run of maintenance did for each shard, in the table of shards. */
export class MaintenanceStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** @throws DependencyError */
  async list(): Promise<MaintenanceReport[]> {
    const found: MaintenanceReport[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const start = ExclusiveStartKey;
      const page = await onDependency('DynamoDB', 'Query maintenance of shards', () =>
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': maintenancePartition },
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        ),
      );
      for (const item of page.Items ?? []) found.push(itemSchema.parse(item).report);
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return found;
  }

  /** @throws DependencyError */
  async put(report: MaintenanceReport): Promise<void> {
    await onDependency('DynamoDB', 'PutItem maintenance of a shard', () =>
      this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { pk: maintenancePartition, sk: report.shard, report },
        }),
      ),
    );
  }
}
