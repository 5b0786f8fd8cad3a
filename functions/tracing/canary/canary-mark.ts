import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import { canaryKey, expiryOf } from '../store/keys.ts';
import type { CanaryTrace } from './canary-trace.ts';

/** After a longer pause, nothing is known of an earlier trace; spans are kept for a day at least. */
const keptDays = 1;
const markSchema = z.object({ traceId: z.string(), startMs: z.number(), expiresAt: z.number() });

/** Remembers the trace that the canary wrote last, in the tracing table. */
export class CanaryMark {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** The trace that was written last; undefined where that was more than a day ago, or never. */
  async latest(now: number): Promise<CanaryTrace | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(new GetCommand({ TableName: this.#table, Key: canaryKey, ConsistentRead: true })),
    );
    if (Item === undefined) return undefined;
    const { traceId, startMs, expiresAt } = markSchema.parse(Item);
    return expiresAt > now / 1_000 ? { traceId, startMs } : undefined;
  }

  /** Remembers a trace that has been acknowledged. Of two runs at the same time either is as good. */
  async remember({ traceId, startMs }: CanaryTrace): Promise<void> {
    const item = { ...canaryKey, traceId, startMs, expiresAt: expiryOf(startMs, keptDays) };
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item: item })),
    );
  }
}
