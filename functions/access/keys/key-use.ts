import { BatchGetCommand, type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { logger } from '../../shared/instrumentation.ts';
import { Problem } from '../../shared/problem.ts';

/** How far behind a noted time may be. */
const precisionMs = 5 * 60_000;
const retentionSeconds = 400 * 24 * 60 * 60;
/** Keys that one process remembers having noted; beyond it the one noted first is forgotten, and noted again. */
const rememberedKeys = 10_000;
/** DynamoDB's bound of one batch, and how often what it left is asked for again. */
const batchSize = 100;
const maximumReads = 5;

const usedSchema = z.object({ keyId: z.string(), usedAt: z.iso.datetime(), expiresAt: z.number() });

/** When keys were last used, kept beside the counters: it is written by every function, and nothing depends on it. */
export class KeyUse {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;
  readonly #noted = new Map<string, number>();

  /** @param now milliseconds since the epoch. */
  constructor(client: DynamoDBDocumentClient, limitsTable: string, now: () => number) {
    this.#client = client;
    this.#table = limitsTable;
    this.#now = now;
  }

  /**
   * Notes that a key was used, at most once per 5 minutes and process, also when that fails. Never throws: a failure is
   * logged.
   */
  async note(keyId: string, tenant?: string): Promise<void> {
    const now = this.#now();
    const last = this.#noted.get(keyId);
    if (last !== undefined && now - last < precisionMs) return;
    this.#remember(keyId, now);
    try {
      await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKey(keyId),
          UpdateExpression: `SET keyId = :keyId, usedAt = :usedAt, expiresAt = :expiresAt${tenant === undefined ? '' : ', tenant = :tenant'}`,
          ExpressionAttributeValues: {
            ':keyId': keyId,
            ':usedAt': new Date(now).toISOString(),
            ':expiresAt': Math.floor(now / 1_000) + retentionSeconds,
            ...(tenant === undefined ? {} : { ':tenant': tenant }),
          },
        }),
      );
    } catch (error) {
      logger.warn('The use of an API key was not noted', { keyId, error });
    }
  }

  /**
   * When each of some keys was last used, RFC 3339; keys not used for 400 days are left out.
   *
   * @throws Problem 503 when the table does not answer in full.
   */
  async lastUsed(ids: readonly string[]): Promise<Map<string, string>> {
    const wanted = [...new Set(ids)];
    const found = new Map<string, string>();
    for (let start = 0; start < wanted.length; start += batchSize) {
      for (const [id, at] of await this.#readBatch(wanted.slice(start, start + batchSize))) found.set(id, at);
    }
    return found;
  }

  async #readBatch(ids: readonly string[]): Promise<[string, string][]> {
    const found: [string, string][] = [];
    let keys: Record<string, unknown>[] = ids.map(itemKey);
    for (let read = 0; read < maximumReads; read++) {
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetCommand({ RequestItems: { [this.#table]: { Keys: keys } } }),
      );
      for (const item of Responses?.[this.#table] ?? []) {
        const { keyId, usedAt, expiresAt } = usedSchema.parse(item);
        if (expiresAt * 1_000 > this.#now()) found.push([keyId, usedAt]);
      }
      keys = UnprocessedKeys?.[this.#table]?.Keys ?? [];
      if (keys.length === 0) return found;
    }
    throw new Problem('not-available', 'When the API keys were last used cannot be read. Try again.', {
      headers: { 'retry-after': '1' },
    });
  }

  #remember(keyId: string, now: number): void {
    this.#noted.delete(keyId);
    const [oldest] = this.#noted.keys();
    if (this.#noted.size >= rememberedKeys && oldest !== undefined) this.#noted.delete(oldest);
    this.#noted.set(keyId, now);
  }
}

const itemKey = (keyId: string) => ({ pk: `KEY#${keyId}`, sk: 'USED' });
