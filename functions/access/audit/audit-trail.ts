import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds } from '../../shared/conditional-write.ts';
import { newId } from '../../shared/ids.ts';
import { chainStart, linkEntry, sequenceKey } from './chain.ts';
import { dayOf, expiryOf, laneCount } from './days.ts';
import { type AuditEntry, boundEntry } from './entry.ts';
import { type ChainedEntry, sha256Schema } from './model.ts';
import { chainPartition, indexKeys } from './table-keys.ts';

const maximumAttempts = 12;
const maximumWaiting = 1_000;
const firstBackoffMs = 5;
const maximumBackoffMs = 200;

export type { AuditEntry } from './entry.ts';

export interface AuditTrailOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => number;
  /** How long an entry is kept, in days. */
  readonly retentionDays: number;
  /** The lane to stay in, whatever happens. Default: one by chance, and another after a collision. */
  readonly lane?: number;
  /** Waits between attempts. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** The last entry of a chain. */
interface Head {
  readonly day: string;
  readonly lane: number;
  readonly sequence: number;
  readonly hash: string;
}
const headSchema = z.object({ sequence: z.int().min(1), hash: sha256Schema, id: z.string() });

/**
 * Appends to the audit trail: each entry carries its own hash and that of the one before, in one of several chains of the
 * day. Nothing is overwritten: whoever wants a place in a chain that is taken takes the next one. The usual append is one
 * write. Appends of one trail wait for each other.
 */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  #lane: number;
  #head: Head | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
    this.#lane = options.lane ?? randomInt(laneCount);
  }

  /**
   * Adds an entry. When it throws, the entry may be there nevertheless, if the store took it and did not say so.
   *
   * @throws Error when the store does not take it, or all attempts met others in the same chain.
   */
  async append(entry: AuditEntry): Promise<void> {
    if (this.#waiting >= maximumWaiting) throw new Error('Too many entries wait for the audit trail');
    this.#waiting++;
    const turn = this.#turn.then(() => this.#add(entry));
    this.#turn = turn.catch(() => undefined);
    try {
      await turn;
    } catch (error) {
      // What is wrong may be wrong with this chain alone.
      this.#changeLane();
      throw error;
    } finally {
      this.#waiting--;
    }
  }

  async #add(entry: AuditEntry): Promise<void> {
    const { now, sleep = delay } = this.#options;
    const content = { ...boundEntry(entry), id: newId(new Date(now())) };
    for (let attempt = 0; attempt < maximumAttempts; attempt++) {
      if (attempt > 0) {
        await sleep(Math.random() * Math.min(maximumBackoffMs, firstBackoffMs * 2 ** attempt));
      }
      // The day of each attempt: a function that was halted in between does not add to a day that is sealed.
      const head = await this.#headOf(dayOf(now()));
      const next = linkEntry({
        ...content,
        day: head.day,
        lane: head.lane,
        sequence: head.sequence + 1,
        previous: head.hash,
      });
      this.#head = undefined;
      if ((await this.#put(next)) || (await this.#isThere(next))) {
        this.#head = next;
        return;
      }
      this.#changeLane();
    }
    throw new Error(`An entry found no place in the audit trail after ${maximumAttempts} attempts`);
  }

  #changeLane(): void {
    this.#lane = this.#options.lane ?? randomInt(laneCount);
  }

  async #headOf(day: string): Promise<Head> {
    const lane = this.#lane;
    if (this.#head?.day === day && this.#head.lane === lane) return this.#head;
    const last = await this.#query(day, lane);
    if (last === undefined) return { day, lane, sequence: 0, hash: chainStart(day, lane) };
    return { day, lane, sequence: last.sequence, hash: last.hash };
  }

  /** Whether the item could be added; `false` when its place is taken. */
  async #put(entry: ChainedEntry): Promise<boolean> {
    return holds(() =>
      this.#options.client.send(
        new PutCommand({
          TableName: this.#options.table,
          Item: {
            ...entry,
            pk: chainPartition(entry.day, entry.lane),
            sk: sequenceKey(entry.sequence),
            ...indexKeys(entry),
            expiresAt: expiryOf(entry.day, this.#options.retentionDays),
          },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
  }

  /** Whether the place was taken by this very entry: the client tries again when it has not heard the answer. */
  async #isThere({ day, lane, sequence, id }: ChainedEntry): Promise<boolean> {
    return (await this.#query(day, lane, sequence))?.id === id;
  }

  /** The entry of that number, or the last of the chain. */
  async #query(
    day: string,
    lane: number,
    sequence?: number,
  ): Promise<z.output<typeof headSchema> | undefined> {
    const exact = sequence === undefined ? {} : { ':sk': sequenceKey(sequence) };
    const { Items = [] } = await this.#options.client.send(
      new QueryCommand({
        TableName: this.#options.table,
        KeyConditionExpression: sequence === undefined ? 'pk = :pk' : 'pk = :pk AND sk = :sk',
        ExpressionAttributeValues: { ':pk': chainPartition(day, lane), ...exact },
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    return headSchema.optional().parse(Items[0]);
  }
}
