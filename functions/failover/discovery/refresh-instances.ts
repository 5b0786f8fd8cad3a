import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { holds } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import type { Shard } from '../../shared/shards.ts';
import type { ShardInstances } from '../model.ts';
import { type DiscoveryParts, discoverInstances } from './discover-instances.ts';

export interface RefreshParts extends DiscoveryParts {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly log: { warn(message: string, about: Record<string, unknown>): void };
}

/** Shards that RDS is asked about at the same time: it limits requests per account. */
const atOnce = 4;

/**
 * Finds the instances of all shards anew and keeps them. Of a shard that could not be asked about, what was known stays.
 *
 * @returns what was found, by shard.
 */
export async function refreshInstances(
  shards: readonly Pick<Shard, 'name' | 'clusterIdentifier' | 'writer'>[],
  parts: RefreshParts,
): Promise<ReadonlyMap<string, ShardInstances>> {
  const found = new Map<string, ShardInstances>();
  const left = [...shards];
  const work = async () => {
    for (let shard = left.shift(); shard !== undefined; shard = left.shift()) {
      try {
        const instances = await discoverInstances(shard, parts);
        await keepInstances(parts.client, parts.table, instances);
        found.set(shard.name, instances);
      } catch (error) {
        parts.log.warn('The instances of a shard could not be found', { shard: shard.name, error });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}

/** Keeps which instances a shard has. @returns false where later ones are kept already. @throws DependencyError */
export function keepInstances(
  client: DynamoDBDocumentClient,
  table: string,
  instances: ShardInstances,
): Promise<boolean> {
  const command = new PutCommand({
    TableName: table,
    Item: { pk: 'INSTANCES', sk: instances.shard, ...instances },
    ConditionExpression: 'attribute_not_exists(pk) OR #at < :at',
    ExpressionAttributeNames: { '#at': 'at' },
    ExpressionAttributeValues: { ':at': instances.at },
  });
  return onDependency('DynamoDB', 'PutItem INSTANCES', () => holds(() => client.send(command)));
}
