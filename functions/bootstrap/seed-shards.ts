import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { holds } from '../shared/conditional-write.ts';
import { setMembers } from '../shared/set-members.ts';
import { shardSchema } from '../shared/shards.ts';
import type { ShardProperties } from './contract.ts';

/** The epoch of a shard that has never been promoted or restored. */
const firstEpoch = 1;

/**
 * Enters shards into the table of shards. One that has moved on to a later epoch (a promotion, a restore) is left
 * as it is: the deployment's idea of its writer is out of date.
 *
 * @returns the names of shards that were left as they are.
 */
export async function seedShards(
  client: DynamoDBDocumentClient,
  table: string,
  shards: readonly ShardProperties[],
): Promise<string[]> {
  const left: string[] = [];
  for (const shard of shards) {
    if (!(await seedShard(client, table, shard))) left.push(shard.Name);
  }
  return left;
}

async function seedShard(
  client: DynamoDBDocumentClient,
  table: string,
  shard: ShardProperties,
): Promise<boolean> {
  const item = shardSchema.parse({
    name: shard.Name,
    clusterIdentifier: shard.ClusterIdentifier,
    resourceId: shard.ResourceId,
    database: shard.Database,
    writer: { host: shard.WriterHost, port: shard.WriterPort },
    epoch: firstEpoch,
    state: 'active',
  });
  return holds(() =>
    client.send(
      new UpdateCommand({
        TableName: table,
        Key: { pk: 'SHARD', sk: shard.Name },
        ...setMembers(item),
        ConditionExpression: 'attribute_not_exists(#epoch) OR #epoch <= :epoch',
      }),
    ),
  );
}
