import { once } from 'node:events';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** A DynamoDB in this process. */
export interface TestDynamo {
  readonly client: DynamoDBDocumentClient;
  /** For `AWS_ENDPOINT_URL_DYNAMODB`. */
  readonly url: string;
  stop(): Promise<void>;
}

const createDynalite: (options: { createTableMs: number }) => Server = createRequire(import.meta.url)(
  'dynalite',
);

/** Starts DynamoDB with empty tables of the shape that all tables of a deployment have. */
export async function startDynamo(...tables: string[]): Promise<TestDynamo> {
  const server = createDynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('DynamoDB does not listen');
  const url = `http://127.0.0.1:${address.port}`;
  const base = new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  for (const table of tables) await createTable(base, table);
  const client = DynamoDBDocumentClient.from(base, { marshallOptions: { removeUndefinedValues: true } });
  return {
    client,
    url,
    stop: async () => {
      client.destroy();
      base.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  const attribute = (name: string) => ({ AttributeName: name, AttributeType: 'S' }) as const;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', 'gsi1pk', 'gsi1sk'].map(attribute),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'gsi1',
          KeySchema: [
            { AttributeName: 'gsi1pk', KeyType: 'HASH' },
            { AttributeName: 'gsi1sk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
}
