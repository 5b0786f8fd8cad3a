import { setTimeout as wait } from 'node:timers/promises';
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { DependencyError, onDependency } from '../../shared/dependency.ts';
import type { Item } from './items.ts';

export interface BatchWriterOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Waits so many milliseconds. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** DynamoDB's own limit. */
const itemsOfCall = 25;
const parallelCalls = 8;
const attempts = 6;
const firstPauseMs = 40;

/**
 * Puts items, many at once. Items that a call leaves out are put again after a pause that doubles, with jitter.
 *
 * @throws DependencyError when some are left after all attempts. Others have been put: putting all again is safe.
 */
export async function putAll(items: readonly Item[], options: BatchWriterOptions): Promise<void> {
  const calls: (readonly Item[])[] = [];
  for (let from = 0; from < items.length; from += itemsOfCall) {
    calls.push(items.slice(from, from + itemsOfCall));
  }
  const lane = async () => {
    for (let call = calls.shift(); call !== undefined; call = calls.shift()) {
      try {
        await put(call, options);
      } catch (error) {
        // All is put again: what has not begun need not begin.
        calls.length = 0;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(parallelCalls, calls.length) }, lane);
  const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

async function put(
  items: readonly Item[],
  { client, table, pause = wait }: BatchWriterOptions,
): Promise<void> {
  let requests: Requests = items.map((Item) => ({ PutRequest: { Item } }));
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (attempt > 0) await pause(firstPauseMs * 2 ** attempt * (0.5 + Math.random()));
    const { UnprocessedItems } = await onDependency('DynamoDB', 'BatchWriteItem', () =>
      client.send(new BatchWriteCommand({ RequestItems: { [table]: requests } })),
    );
    requests = UnprocessedItems?.[table] ?? [];
    if (requests.length === 0) return;
  }
  throw new DependencyError(`DynamoDB left ${requests.length} of ${items.length} items unwritten`);
}

type Requests = NonNullable<BatchWriteCommandInput['RequestItems']>[string];
