import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';
import type { PurgeId } from '../ids.ts';
import { noItems } from '../providers/plan-calls.ts';
import type { PurgeItems } from '../providers/provider.ts';
import { PurgeLog } from '../purge-log.ts';
import { VersionedItems } from '../versioned-items.ts';
import { itemsSchema, type PurgeRecord, purgeRecordSchema } from './record.ts';

/** How long a purge can be looked at, and how long a path that has changed is kept, in seconds. */
const keptSeconds = 90 * 86_400;
const changeSeconds = 86_400;
/** How long a purge is counted among what the edge did. */
const countedSeconds = 400 * 86_400;
/** Paths of one window that are read at most; a window with more purges more than its paths. */
const mostChanges = 20_000;

const keyOf = (id: PurgeId) => ({ pk: `PURGE#${id}`, sk: 'PURGE' });
const rewarmKeyOf = (id: PurgeId) => ({ pk: `PURGE#${id}`, sk: 'REWARM' });
const itemsKeyOf = (id: PurgeId) => ({ pk: `PURGE#${id}`, sk: 'ITEMS' });
const windowKey = (window: number): string => `CHANGED#${window}`;

/** The purges, by their ids, and the paths that have changed, by the window in which they did. */
export class PurgeStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #items: VersionedItems;
  readonly #now: () => number;
  #last: { readonly id: PurgeId; readonly items: PurgeItems } | undefined;

  constructor(client: DynamoDBDocumentClient, table: string, now: () => number = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#items = new VersionedItems(client, table, now);
    this.#now = now;
  }

  /**
   * Makes a purge; one of the same id stays as it is.
   *
   * @param options `rewarm`: paths to be put into the cache afterwards. `tenant`: whose website it is of, where it was asked for so.
   * @throws DependencyError
   */
  async create(
    record: PurgeRecord,
    items: PurgeItems | undefined,
    { rewarm = [], tenant }: { rewarm?: readonly string[]; tenant?: string | undefined } = {},
  ): Promise<void> {
    if (rewarm.length > 0) await this.setRewarmPaths(record.id, rewarm);
    if (items !== undefined) await this.setItems(record.id, items);
    await this.#items.put(this.#item(record), 0);
    await new PurgeLog(this.#client, this.#table).note(record.id, tenant, this.#expiry(countedSeconds));
  }

  async get(id: PurgeId): Promise<PurgeRecord | undefined> {
    const item = await this.#items.get(keyOf(id));
    return item === undefined ? undefined : purgeRecordSchema.parse(item);
  }

  /** @returns the record with its new version; nothing when somebody else has written meanwhile. @throws DependencyError */
  async save(record: PurgeRecord): Promise<PurgeRecord | undefined> {
    const saved = await this.#items.put(this.#item(record), record.version);
    return saved ? { ...record, version: record.version + 1 } : undefined;
  }

  /** What is to be purged: it does not change once it is known. @throws DependencyError */
  async items(id: PurgeId): Promise<PurgeItems> {
    if (this.#last?.id === id) return this.#last.items;
    const item = await this.#items.get(itemsKeyOf(id));
    const items = item === undefined ? noItems : itemsSchema.parse(item);
    this.#last = { id, items };
    return items;
  }

  /** What is to be purged; written again, it is the same. */
  async setItems(id: PurgeId, items: PurgeItems): Promise<void> {
    const { paths, prefixes, tags, everything } = items;
    this.#last = undefined;
    const Item = {
      ...itemsKeyOf(id),
      paths,
      prefixes,
      tags,
      everything,
      expiresAt: this.#expiry(keptSeconds),
    };
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item })),
    );
  }

  /** The paths that are put into the cache again after a purge. @throws DependencyError */
  async rewarmPaths(id: PurgeId): Promise<readonly string[]> {
    const item = await this.#items.get(rewarmKeyOf(id));
    return item === undefined ? [] : itemsSchema.pick({ paths: true }).parse(item).paths;
  }

  async setRewarmPaths(id: PurgeId, paths: readonly string[]): Promise<void> {
    const Item = { ...rewarmKeyOf(id), paths, expiresAt: this.#expiry(keptSeconds) };
    await onDependency('DynamoDB', 'PutItem', () =>
      this.#client.send(new PutCommand({ TableName: this.#table, Item })),
    );
  }

  /** Notes that these paths have changed, in a window. @throws DependencyError */
  async noteChanges(window: number, paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const Item = { pk: windowKey(window), sk: path, expiresAt: this.#expiry(changeSeconds) };
      await onDependency('DynamoDB', 'PutItem', () =>
        this.#client.send(new PutCommand({ TableName: this.#table, Item })),
      );
    }
  }

  /** The paths that have changed in a window; `more`: there are more than that. @throws DependencyError */
  async changes(window: number): Promise<{ paths: string[]; more: boolean }> {
    const paths: string[] = [];
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': windowKey(window) },
    });
    for await (const { items, more } of pages) {
      for (const item of items) paths.push(changeSchema.parse(item).sk);
      if (paths.length >= mostChanges) return { paths, more };
    }
    return { paths, more: false };
  }

  #item(record: PurgeRecord) {
    const { id } = record;
    return {
      ...record,
      ...keyOf(id),
      ...{ gsi1pk: 'PURGES', gsi1sk: id, expiresAt: this.#expiry(keptSeconds) },
    };
  }

  #expiry(seconds: number): number {
    return Math.floor(this.#now() / 1000) + seconds;
  }
}

const changeSchema = z.object({ sk: z.string() });
