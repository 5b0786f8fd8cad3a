import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';
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
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': maintenancePartition },
    };
    for await (const { items } of queryPages(this.#client, query, 'Query maintenance of shards')) {
      for (const item of items) found.push(itemSchema.parse(item).report);
    }
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
