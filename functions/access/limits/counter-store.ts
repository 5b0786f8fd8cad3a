import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ifHolds } from '../../shared/conditional-write.ts';
import { type Count, countOf } from './count.ts';
import type { Quota } from './quota.ts';

/** Attempts to take units when other processes take some at the same moment. */
const attempts = 4;
/** Nobody takes more than this part of what is left at once: units lie idle least where they are scarce. */
const largestShare = 1 / 4;

/** The store of counters did not answer. */
export class CountersUnavailable extends Error {
  override readonly name = 'CountersUnavailable';
}

export interface Taking {
  readonly quota: Quota;
  /** Names the counter's item. */
  readonly key: string;
  /** How many units are wanted, at least 1 and at most the quota. */
  readonly wanted: number;
  /** What the item said when it was last seen. */
  readonly seen: Count | undefined;
  /** Units of an earlier taking that nobody has used, and the period in which they were taken. */
  readonly unused?: { readonly units: number; readonly period: number };
  /** Milliseconds of the Unix epoch. */
  readonly now: number;
}

export interface Taken {
  /** 0 when none was left. */
  readonly units: number;
  /** The counter as it is now. */
  readonly count: Count;
}

/** The counters of limits: one item each, changed by single conditional updates. */
export class CounterStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #deadlineMs: number;

  /** @param deadlineMs the longest that one question to the store may take, in milliseconds. */
  constructor(client: DynamoDBDocumentClient, table: string, deadlineMs: number) {
    this.#client = client;
    this.#table = table;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Takes up to so many units from a counter, before they are used.
   *
   * @throws CountersUnavailable
   */
  async take(taking: Taking): Promise<Taken> {
    const { quota, key, wanted, unused, now } = taking;
    let count = taking.seen;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const seenBefore = count?.current(now) === true ? count : undefined;
      count = seenBefore ?? (await this.read(quota, key));
      const returned = unused !== undefined && unused.period === count.period(now) ? unused.units : 0;
      const left = count.room(now) + returned;
      if (left < 1 && seenBefore === undefined) return { units: 0, count };
      if (left >= 1) {
        const affordable = Math.min(wanted, Math.max(1, Math.floor(left * largestShare)));
        // Never fewer than are given back: an update that is applied twice, its answer lost, counts too much then, not too little.
        const units = Math.max(returned, affordable);
        const changed = await this.#change(quota, key, count, now, units, returned);
        if (changed !== undefined) return { units, count: changed };
      }
      // What was seen before is no longer so.
      count = undefined;
    }
    return { units: 0, count: await this.read(quota, key) };
  }

  /**
   * Reads a counter as it is at this moment.
   *
   * @throws CountersUnavailable
   */
  async read(quota: Quota, key: string): Promise<Count> {
    const { Item } = await available(
      this.#client.send(
        new GetCommand({ TableName: this.#table, Key: keyOf(quota, key), ConsistentRead: true }),
        { abortSignal: AbortSignal.timeout(this.#deadlineMs) },
      ),
    );
    return countOf(quota, Item);
  }

  /** The counter afterwards; undefined when it was no longer as it had been seen. */
  async #change(
    quota: Quota,
    key: string,
    count: Count,
    now: number,
    units: number,
    returned: number,
  ): Promise<Count | undefined> {
    const { update, condition, values } = count.taking(now, units, returned);
    const command = new UpdateCommand({
      TableName: this.#table,
      Key: keyOf(quota, key),
      UpdateExpression: update,
      ConditionExpression: condition,
      ExpressionAttributeValues: values,
      ReturnValues: 'ALL_NEW',
    });
    const changed = await available(
      ifHolds(() => this.#client.send(command, { abortSignal: AbortSignal.timeout(this.#deadlineMs) })),
    );
    return changed === undefined ? undefined : countOf(quota, changed.Attributes);
  }
}

const keyOf = ({ algorithm, windowMs }: Quota, key: string) => ({
  pk: `COUNT#${key}`,
  // A limit that is configured anew counts anew.
  sk: `${algorithm}#${windowMs}`,
});

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new CountersUnavailable('The counters of limits cannot be asked', { cause: error });
  }
}
