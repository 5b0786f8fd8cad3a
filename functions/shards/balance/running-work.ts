import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import type { RunningWork } from './health.ts';

/** So many of the newest are looked at: older ones have ended. */
const newest = 25;

const workSchema = z.object({
  id: z.string(),
  state: z.string(),
  shards: z.array(z.string()).default([]),
  dryRun: z.boolean().default(false),
});

/** Backups and restores that are queued or run, by the index of the recovery table. */
export async function runningWork(client: DynamoDBDocumentClient, table: string): Promise<RunningWork[]> {
  const lists = [
    { kind: 'backup', partition: 'BACKUPS' },
    { kind: 'restore', partition: 'RESTORES' },
  ] as const;
  const found = await Promise.all(
    lists.map(async ({ kind, partition }) => {
      const { Items = [] } = await onDependency('DynamoDB', `Query ${partition}`, () =>
        client.send(
          new QueryCommand({
            TableName: table,
            IndexName: 'gsi1',
            KeyConditionExpression: 'gsi1pk = :pk',
            ExpressionAttributeValues: { ':pk': partition },
            ScanIndexForward: false,
            Limit: newest,
          }),
        ),
      );
      return Items.flatMap((item): RunningWork[] => {
        const work = workSchema.safeParse(item).data;
        if (work === undefined || work.dryRun || !['queued', 'running'].includes(work.state)) return [];
        return [{ id: work.id, kind, shards: work.shards }];
      });
    }),
  );
  return found.flat();
}
