import { CreateTableCommand, DynamoDB } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { Child } from '../measure/child.ts';

const script = new URL('store-main.ts', import.meta.url).pathname;

/** A client of the store; every candidate has one with the same settings. */
export const clientOf = (url: string): DynamoDB =>
  new DynamoDB({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });

/** Tables by the names of their key attributes, joined. */
export const tables = { own: 'pk-sk', peer: 'key' } as const;

/** A DynamoDB with the candidates' tables, in a process of its own. */
export class LimitStore {
  readonly url: string;
  readonly #child: Child;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(): Promise<LimitStore> {
    const child = new Child(script);
    try {
      const { url } = await child.receive(z.object({ url: z.string() }));
      const client = clientOf(url);
      for (const name of Object.values(tables)) await createTable(client, name);
      client.destroy();
      return new LimitStore(child, url);
    } catch (error) {
      await child.kill();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#child.finish();
  }
}

async function createTable(client: DynamoDB, name: string): Promise<void> {
  const keys = name.split('-');
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: 'S' })),
      KeySchema: keys.map((key, index) => ({ AttributeName: key, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
}
