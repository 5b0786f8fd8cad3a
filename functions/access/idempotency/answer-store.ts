import { randomUUID } from 'node:crypto';
import {
  IdempotencyItemAlreadyExistsError,
  IdempotencyItemNotFoundError,
  IdempotencyRecordStatus,
} from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer, IdempotencyRecord } from '@aws-lambda-powertools/idempotency/persistence';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds } from '../../shared/conditional-write.ts';

const itemSchema = z.object({
  status: z.enum([IdempotencyRecordStatus.INPROGRESS, IdempotencyRecordStatus.COMPLETED]),
  /** SHA-256 of the request. */
  payloadHash: z.string(),
  /** Milliseconds since the epoch: nobody works on it any more from then on. */
  busyUntil: z.number(),
  expiresAt: z.number(),
  answer: z.string().optional(),
});

export interface AnswerStoreOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** How long an answer is kept, in hours. */
  readonly hours: number;
  /** Milliseconds until whoever works on the request is stopped. */
  readonly remainingMs: () => number;
  readonly now: () => number;
}

type SaveInProgress = BasePersistenceLayer['saveInProgress'];

/**
 * Where Powertools keeps the record of one request, in a table with `pk` and `sk`. Make one for each request. Times are
 * judged here, by `now`, and never by DynamoDB's removal of expired items, which is late. A request that was given up
 * and goes on nevertheless does not touch the record of the one that has taken its place.
 */
export class AnswerStore extends BasePersistenceLayer {
  readonly #options: AnswerStoreOptions;
  readonly #attempt = randomUUID();

  constructor(options: AnswerStoreOptions) {
    super();
    this.#options = options;
  }

  override saveInProgress(...[data]: Parameters<SaveInProgress>): ReturnType<SaveInProgress> {
    return super.saveInProgress(data, this.#remainingMs());
  }

  protected async _putRecord({ idempotencyKey, payloadHash }: IdempotencyRecord): Promise<void> {
    const now = this.#options.now();
    const fresh = 'attribute_not_exists(#pk) OR #expiresAt <= :seconds';
    const abandoned = '#status = :inProgress AND #busyUntil <= :now';
    const taken = await holds(() =>
      this.#options.client.send(
        new PutCommand({
          TableName: this.#options.table,
          Item: {
            ...keyOf(idempotencyKey),
            status: IdempotencyRecordStatus.INPROGRESS,
            payloadHash,
            attempt: this.#attempt,
            busyUntil: now + this.#remainingMs(),
            expiresAt: seconds(now) + this.#options.hours * 3_600,
          },
          ConditionExpression: `${fresh} OR (${abandoned})`,
          ExpressionAttributeNames: names('pk', 'expiresAt', 'status', 'busyUntil'),
          ExpressionAttributeValues: {
            ':seconds': seconds(now),
            ':now': now,
            ':inProgress': IdempotencyRecordStatus.INPROGRESS,
          },
        }),
      ),
    );
    if (!taken) throw new IdempotencyItemAlreadyExistsError();
  }

  protected async _getRecord(idempotencyKey: string): Promise<IdempotencyRecord> {
    const { client, table: TableName, now } = this.#options;
    const { Item } = await client.send(
      new GetCommand({ TableName, Key: keyOf(idempotencyKey), ConsistentRead: true }),
    );
    const item = itemSchema.optional().parse(Item);
    if (item === undefined || item.expiresAt <= seconds(now())) throw new IdempotencyItemNotFoundError();
    const { status, payloadHash, busyUntil, answer } = item;
    if (status === IdempotencyRecordStatus.INPROGRESS && busyUntil <= now()) {
      throw new IdempotencyItemNotFoundError();
    }
    return new IdempotencyRecord({
      idempotencyKey,
      status,
      payloadHash,
      ...(answer === undefined ? {} : { responseData: answer }),
    });
  }

  protected async _updateRecord({ idempotencyKey, responseData }: IdempotencyRecord): Promise<void> {
    const { client, table, hours, now } = this.#options;
    await client.send(
      new UpdateCommand({
        TableName: table,
        Key: keyOf(idempotencyKey),
        UpdateExpression: 'SET #status = :completed, #answer = :answer, #expiresAt = :expiresAt',
        ConditionExpression: '#attempt = :attempt',
        ExpressionAttributeNames: names('status', 'answer', 'expiresAt', 'attempt'),
        ExpressionAttributeValues: {
          ':completed': IdempotencyRecordStatus.COMPLETED,
          ':answer': responseData,
          ':expiresAt': seconds(now()) + hours * 3_600,
          ':attempt': this.#attempt,
        },
      }),
    );
  }

  protected async _deleteRecord({ idempotencyKey }: IdempotencyRecord): Promise<void> {
    await holds(() =>
      this.#options.client.send(
        new DeleteCommand({
          TableName: this.#options.table,
          Key: keyOf(idempotencyKey),
          ConditionExpression: '#attempt = :attempt',
          ExpressionAttributeNames: names('attempt'),
          ExpressionAttributeValues: { ':attempt': this.#attempt },
        }),
      ),
    );
  }

  #remainingMs(): number {
    return Math.max(1, this.#options.remainingMs());
  }
}

const keyOf = (idempotencyKey: string) => ({ pk: `ONCE#${idempotencyKey}`, sk: 'ONCE' });
const seconds = (ms: number): number => Math.floor(ms / 1_000);
const names = (...attributes: string[]) => Object.fromEntries(attributes.map((name) => [`#${name}`, name]));
