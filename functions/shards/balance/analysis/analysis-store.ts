import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { holds } from '../../../shared/conditional-write.ts';
import { onDependency } from '../../../shared/dependency.ts';
import { queryPages } from '../../../shared/query-pages.ts';
import {
  type Run,
  runSchema,
  type ShardAnalysis,
  type ShardFound,
  type SlotFound,
  shardAnalysisSchema,
} from './model.ts';
import { packSlots, unpackSlots } from './slot-columns.ts';

const partition = 'ANALYSIS';
const slotsPartition = (shard: string) => `ANALYSIS_SLOTS#${shard}`;
const runKey = { pk: 'ANALYSIS_RUN', sk: 'LATEST' };
const partKey = (run: string, part: number) => `${run}#${String(part).padStart(4, '0')}`;

/** Numbers of slots stay so long: whoever reads an analysis while the next one is written still gets all of it. */
const keptSeconds = 30 * 86_400;
/** No run takes longer; one that has not ended by then has died. */
export const mostRunMs = 16 * 60_000;

/** What was found on each shard, in the table of shards. */
export class AnalysisStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Begins a run. @returns false while another one is going on. */
  begin(run: string, now: number): Promise<boolean> {
    const item: Run = { run, state: 'running', startedAt: new Date(now).toISOString() };
    return this.#send('PutItem run', () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item: { ...runKey, ...item },
            ConditionExpression: 'attribute_not_exists(pk) OR #state <> :running OR #startedAt < :dead',
            ExpressionAttributeNames: { '#state': 'state', '#startedAt': 'startedAt' },
            ExpressionAttributeValues: {
              ':running': 'running',
              ':dead': new Date(now - mostRunMs).toISOString(),
            },
          }),
        ),
      ),
    );
  }

  /** Ends a run, unless another one has begun since. */
  async end(run: string, state: 'completed' | 'failed', now: number): Promise<void> {
    await this.#send('UpdateItem run', () =>
      holds(() =>
        this.#client.send(
          new UpdateCommand({
            TableName: this.#table,
            Key: runKey,
            UpdateExpression: 'SET #state = :state, #finishedAt = :now',
            ConditionExpression: '#run = :run',
            ExpressionAttributeNames: { '#state': 'state', '#finishedAt': 'finishedAt', '#run': 'run' },
            ExpressionAttributeValues: { ':state': state, ':now': new Date(now).toISOString(), ':run': run },
          }),
        ),
      ),
    );
  }

  async run(): Promise<Run | undefined> {
    const { Item } = await this.#send('GetItem run', () =>
      this.#client.send(new GetCommand({ TableName: this.#table, Key: runKey, ConsistentRead: true })),
    );
    return Item === undefined ? undefined : runSchema.parse(Item);
  }

  /** Keeps what was found on a shard; its item comes last, and so is never there without the numbers of its slots. */
  async keep(shard: string, found: Omit<ShardFound, 'parts'>, slots: readonly SlotFound[]): Promise<void> {
    const parts = packSlots(slots, found.kinds.length);
    const expiresAt = Math.floor(Date.parse(found.at) / 1000) + keptSeconds;
    for (const [index, data] of parts.entries()) {
      await this.#put({ pk: slotsPartition(shard), sk: partKey(found.run, index), data, expiresAt });
    }
    await this.#put({ pk: partition, sk: shard, shard, found: { ...found, parts: parts.length } });
  }

  /** Remembers why a shard could not be looked at, beside what was found before. */
  async fail(shard: string, message: string, now: number): Promise<void> {
    await this.#send('UpdateItem analysis', () =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { pk: partition, sk: shard },
          UpdateExpression: 'SET #shard = :shard, #error = :error',
          ExpressionAttributeNames: { '#shard': 'shard', '#error': 'error' },
          ExpressionAttributeValues: {
            ':shard': shard,
            ':error': { at: new Date(now).toISOString(), message: message.slice(0, 500) },
          },
        }),
      ),
    );
  }

  /** What was found on each of the shards last, without the numbers of their slots. */
  async list(): Promise<Omit<ShardAnalysis, 'slots'>[]> {
    const items = await this.#query({ pk: partition });
    return items.map((item) => shardAnalysisSchema.parse(item));
  }

  /** All that was found last. */
  async read(): Promise<ShardAnalysis[]> {
    const known = await this.list();
    return Promise.all(
      known.map(async (each) => ({ ...each, slots: await this.#slots(each.shard, each.found) })),
    );
  }

  async #slots(shard: string, found: ShardFound | undefined): Promise<SlotFound[]> {
    if (found === undefined || found.parts === 0) return [];
    const items = await this.#query({ pk: slotsPartition(shard), prefix: `${found.run}#` });
    return items.flatMap(({ data }) =>
      data instanceof Uint8Array ? unpackSlots(data, found.kinds.length) : [],
    );
  }

  async #query({ pk, prefix }: { pk: string; prefix?: string }): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    const query = {
      TableName: this.#table,
      KeyConditionExpression: prefix === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ...(prefix !== undefined && { ':prefix': prefix }) },
      ConsistentRead: true,
    };
    for await (const { items } of queryPages(this.#client, query, 'Query analysis')) found.push(...items);
    return found;
  }

  async #put(Item: Record<string, unknown>): Promise<void> {
    await this.#send('PutItem analysis', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item })),
    );
  }

  #send<T>(call: string, run: () => Promise<T>): Promise<T> {
    return onDependency('DynamoDB', call, run);
  }
}
