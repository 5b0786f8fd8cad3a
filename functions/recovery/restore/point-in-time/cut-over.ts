import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds } from '../../../shared/conditional-write.ts';
import { onDependency } from '../../../shared/dependency.ts';
import { shardSchema } from '../../../shared/shards.ts';
import { RestoreConflictError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import { placeSchema, type RestoredCluster } from './record.ts';

/** Former clusters that a shard's entry names; the oldest are forgotten. */
const longestHistory = 20;

const historySchema = z
  .array(
    z.looseObject({ ...placeSchema.shape, epoch: z.number(), replacedAt: z.string(), restoreId: z.string() }),
  )
  .default([]);

/**
 * Has the platform work with a restored cluster: one conditional write of the shard's entry, which begins a new epoch.
 * What was there before is kept in the entry's `history`. Doing it again changes nothing.
 *
 * @throws RestoreConflictError when the shard is not as it was when the restore was planned.
 */
export async function cutOver(
  client: DynamoDBDocumentClient,
  table: string,
  restored: RestoredCluster,
  { restoreId, at }: { readonly restoreId: RestoreId; readonly at: string },
): Promise<void> {
  const { shard, source, epoch, identifier, resourceId, writer } = restored;
  const Key = { pk: 'SHARD', sk: shard };
  const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
    client.send(new GetCommand({ TableName: table, Key, ConsistentRead: true })),
  );
  const now = shardSchema.parse(Item);
  if (now.clusterIdentifier === identifier) return;
  const moved = new RestoreConflictError(
    `${shard} has moved on since this restore was planned: nothing was changed. Restore again.`,
  );
  if (now.clusterIdentifier !== source.clusterIdentifier || now.epoch !== epoch) throw moved;
  const history = [
    ...historySchema.parse(Item?.history),
    { ...source, epoch, replacedAt: at, restoreId },
  ].slice(-longestHistory);
  const values = { clusterIdentifier: identifier, resourceId, writer, epoch: epoch + 1, history };
  const members = Object.keys(values);
  const written = await holds(() =>
    client.send(
      new UpdateCommand({
        TableName: table,
        Key,
        UpdateExpression: `SET ${members.map((name) => `#${name} = :${name}`).join(', ')}`,
        ConditionExpression: '#epoch = :from AND #clusterIdentifier = :source',
        ExpressionAttributeNames: Object.fromEntries(members.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
          ':from': epoch,
          ':source': source.clusterIdentifier,
        },
      }),
    ),
  );
  if (!written) throw moved;
}
