import { IdempotencyRecordStatus } from '@aws-lambda-powertools/idempotency';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { holds, ifHolds } from '../../shared/conditional-write.ts';
import { type RequestRecord, recordKey, requestRecordSchema } from './request-record.ts';

const { INPROGRESS, COMPLETED } = IdempotencyRecordStatus;

export interface RequestTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** How long an answer is kept, in hours. */
  readonly hours: number;
  readonly now: () => number;
}

/** An attempt to do what a request asks for. */
export interface Attempt {
  readonly idempotencyKey: string;
  /** No two are called the same. */
  readonly name: string;
  readonly payloadHash: string;
  /** Names the work where this is the first attempt. */
  readonly workId: string;
  /** Milliseconds until it is stopped. */
  readonly remainingMs: number;
}

type Own = Pick<Attempt, 'idempotencyKey' | 'name'>;

/**
 * The records of requests in a table with `pk` and `sk`; every change is one conditional write. Times are judged here, by
 * `now`, and never by DynamoDB's removal of expired items, which is late.
 */
export class RequestTable {
  readonly #options: RequestTableOptions;

  constructor(options: RequestTableOptions) {
    this.#options = options;
  }

  /** @returns the record; `undefined` where there is none, or its time has ended. */
  async find(idempotencyKey: string): Promise<RequestRecord | undefined> {
    const { client, table: TableName } = this.#options;
    const { Item } = await client.send(
      new GetCommand({ TableName, Key: recordKey(idempotencyKey), ConsistentRead: true }),
    );
    const record = requestRecordSchema.optional().parse(Item);
    return record === undefined || record.expiresAt <= this.#seconds() ? undefined : record;
  }

  /** Begins a first attempt: where there is no record, or its time has ended. @returns whether it was begun. */
  async begin(attempt: Attempt): Promise<boolean> {
    const { client, table: TableName } = this.#options;
    const { idempotencyKey, name, payloadHash, workId } = attempt;
    const Item = {
      ...{ ...recordKey(idempotencyKey), status: INPROGRESS, payloadHash, workId, attempt: name },
      ...{ busyUntil: this.#busyUntil(attempt), expiresAt: this.#expiresAt() },
    };
    const ConditionExpression = 'attribute_not_exists(pk) OR expiresAt <= :seconds';
    const ExpressionAttributeValues = { ':seconds': this.#seconds() };
    return holds(() =>
      client.send(new PutCommand({ TableName, Item, ConditionExpression, ExpressionAttributeValues })),
    );
  }

  /**
   * Begins another attempt at a request whose last one is abandoned.
   *
   * @returns the work id of all attempts; `undefined` when there is no such record.
   */
  async takeOver(attempt: Attempt): Promise<string | undefined> {
    const taken = await ifHolds(() =>
      this.#update(attempt, {
        UpdateExpression: 'SET attempt = :attempt, busyUntil = :busyUntil, expiresAt = :expiresAt',
        ConditionExpression:
          'expiresAt > :seconds AND #status = :inProgress AND busyUntil <= :now AND payloadHash = :payloadHash',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':attempt': attempt.name,
          ':busyUntil': this.#busyUntil(attempt),
          ':expiresAt': this.#expiresAt(),
          ':seconds': this.#seconds(),
          ':now': this.#options.now(),
          ':inProgress': INPROGRESS,
          ':payloadHash': attempt.payloadHash,
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return taken === undefined ? undefined : requestRecordSchema.parse(taken.Attributes).workId;
  }

  /** Keeps the answer of an attempt. @throws ConditionalCheckFailedException when another has taken its place. */
  async keep(own: Own, answer: string): Promise<void> {
    await this.#update(own, {
      UpdateExpression: 'SET #status = :completed, answer = :answer, expiresAt = :expiresAt',
      ConditionExpression: 'attempt = :attempt',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':completed': COMPLETED,
        ':answer': answer,
        ':expiresAt': this.#expiresAt(),
        ':attempt': own.name,
      },
    });
  }

  /** Gives an attempt up, unless another has taken its place: whoever comes next need not wait. */
  async abandon(own: Own): Promise<void> {
    await holds(() =>
      this.#update(own, {
        UpdateExpression: 'SET busyUntil = :longAgo',
        ConditionExpression: 'attempt = :attempt',
        ExpressionAttributeValues: { ':longAgo': 0, ':attempt': own.name },
      }),
    );
  }

  #update({ idempotencyKey }: Own, input: Omit<UpdateCommandInput, 'TableName' | 'Key'>) {
    const { client, table: TableName } = this.#options;
    return client.send(new UpdateCommand({ TableName, Key: recordKey(idempotencyKey), ...input }));
  }

  #seconds(): number {
    return Math.floor(this.#options.now() / 1_000);
  }

  #expiresAt(): number {
    return this.#seconds() + this.#options.hours * 3_600;
  }

  #busyUntil({ remainingMs }: Attempt): number {
    return this.#options.now() + remainingMs;
  }
}
