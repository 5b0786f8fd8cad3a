import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import { newId } from '../../shared/ids.ts';
import { type WarmingId, warmingIdSchema } from '../ids.ts';
import { VersionedItems } from '../versioned-items.ts';
import { type Result, resultSchema } from './model.ts';
import { type Wanted, type WarmingRecord, wantedSchema, warmingRecordSchema } from './record.ts';

/** How long a warming can be looked at, in seconds. */
const keptSeconds = 14 * 86_400;

const keyOf = (id: WarmingId, sk = 'WARMING') => ({ pk: `WARMING#${id}`, sk });
const resultsKey = (id: WarmingId, from: number) => keyOf(id, `RESULTS#${String(from).padStart(6, '0')}`);
const resultsSchema = z.object({ from: z.number().int(), results: z.array(resultSchema) });

/** The warmings, by their ids, and what became of their requests. */
export class WarmingStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #items: VersionedItems;
  readonly #now: () => number;

  constructor(client: DynamoDBDocumentClient, table: string, now: () => number = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#items = new VersionedItems(client, table, now);
    this.#now = now;
  }

  /** Makes a warming; one of the same id stays as it is. @throws DependencyError */
  async create(record: WarmingRecord, wanted: Wanted): Promise<void> {
    await this.#put({ ...keyOf(record.id, 'WANTED'), ...wanted });
    await this.#items.put(this.#item(record), 0);
  }

  async get(id: WarmingId): Promise<WarmingRecord | undefined> {
    const item = await this.#items.get(keyOf(id));
    return item === undefined ? undefined : warmingRecordSchema.parse(item);
  }

  /** @returns the record with its new version; nothing when somebody else has written meanwhile. @throws DependencyError */
  async save(record: WarmingRecord): Promise<WarmingRecord | undefined> {
    const saved = await this.#items.put(this.#item(record), record.version);
    return saved ? { ...record, version: record.version + 1 } : undefined;
  }

  async wanted(id: WarmingId): Promise<Wanted> {
    const item = await this.#items.get(keyOf(id, 'WANTED'));
    return item === undefined ? { paths: [], imageFormats: [] } : wantedSchema.parse(item);
  }

  /** Keeps what became of some requests, from that index on; written again, it is that of the last time. @throws DependencyError */
  async setResults(id: WarmingId, from: number, results: readonly Result[]): Promise<void> {
    await this.#put({ ...resultsKey(id, from), from, results });
  }

  /** At most `limit` results of those that are done, from an index on. @throws DependencyError */
  async results(record: WarmingRecord, from: number, limit: number): Promise<Result[]> {
    const until = Math.min(record.done, from + limit);
    const found: Result[] = [];
    while (from + found.length < until) {
      const at = from + found.length;
      const slice = await this.#sliceAt(record.id, at);
      const next = slice?.results.slice(at - slice.from, until - slice.from) ?? [];
      if (next.length === 0) break;
      found.push(...next);
    }
    return found;
  }

  /**
   * The warming of an execution: its name, or where a schedule has named it, one that is made for it once.
   *
   * @param make whether to make one. @throws DependencyError
   */
  async idOfExecution(name: string, make: boolean): Promise<WarmingId | undefined> {
    const own = warmingIdSchema.safeParse(name);
    if (own.success) return own.data;
    const key = { pk: `WARMING_EXECUTION#${name}`, sk: 'WARMING' };
    const id = newId(new Date(this.#now()));
    if (make) await this.#items.put({ ...key, warmingId: id, expiresAt: this.#expiry() }, 0);
    const item = await this.#items.get(key);
    return item === undefined ? undefined : warmingIdSchema.parse(item.warmingId);
  }

  /** The slice that an index is in. */
  async #sliceAt(id: WarmingId, index: number): Promise<z.output<typeof resultsSchema> | undefined> {
    const { pk, sk } = resultsKey(id, index);
    const { Items = [] } = await onDependency('DynamoDB', 'Query', () =>
      this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :sk',
          ExpressionAttributeValues: { ':pk': pk, ':first': resultsKey(id, 0).sk, ':sk': sk },
          ScanIndexForward: false,
          Limit: 1,
        }),
      ),
    );
    return Items[0] === undefined ? undefined : resultsSchema.parse(Items[0]);
  }

  async #put(item: Record<string, unknown>): Promise<void> {
    const Item = { ...item, expiresAt: this.#expiry() };
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item })),
    );
  }

  #item(record: WarmingRecord) {
    const { id } = record;
    return { ...record, ...keyOf(id), gsi1pk: 'WARMINGS', gsi1sk: id, expiresAt: this.#expiry() };
  }

  #expiry(): number {
    return Math.floor(this.#now() / 1000) + keptSeconds;
  }
}
