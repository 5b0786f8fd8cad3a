import { randomUUID } from 'node:crypto';
import {
  IdempotencyItemAlreadyExistsError,
  IdempotencyItemNotFoundError,
} from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer, IdempotencyRecord } from '@aws-lambda-powertools/idempotency/persistence';
import { newId } from '../../shared/ids.ts';
import { isAbandoned } from './request-record.ts';
import { RequestTable, type RequestTableOptions } from './request-table.ts';

export interface AnswerStoreOptions extends RequestTableOptions {
  /** Milliseconds until whoever works on the request is stopped. */
  readonly remainingMs: () => number;
}

type SaveInProgress = BasePersistenceLayer['saveInProgress'];

/**
 * Where Powertools keeps the record of one request. Make one for each attempt. An attempt that was given up and goes on
 * nevertheless does not touch the record of the one that has taken its place.
 *
 * An attempt that failed, or was stopped, leaves its record behind as abandoned, and with it the work id: whoever
 * repeats the request takes over both, so that what the attempt may have made is found again and not made twice.
 */
export class AnswerStore extends BasePersistenceLayer {
  readonly #table: RequestTable;
  readonly #options: AnswerStoreOptions;
  readonly #name = randomUUID();
  #workId: string;
  #payloadHash: string | undefined;

  constructor(options: AnswerStoreOptions) {
    super();
    this.#options = options;
    this.#table = new RequestTable(options);
    this.#workId = newId(new Date(options.now()));
  }

  /** Names the work that is asked for, a ULID, the same at each attempt. Known when the attempt has begun. */
  get workId(): string {
    return this.#workId;
  }

  override saveInProgress(...[data]: Parameters<SaveInProgress>): ReturnType<SaveInProgress> {
    return super.saveInProgress(data, this.#remainingMs());
  }

  protected async _putRecord({ idempotencyKey, payloadHash = '' }: IdempotencyRecord): Promise<void> {
    this.#payloadHash = payloadHash;
    const attempt = {
      ...{ idempotencyKey, payloadHash, workId: this.#workId },
      ...{ name: this.#name, remainingMs: this.#remainingMs() },
    };
    if (await this.#table.begin(attempt)) return;
    const workId = await this.#table.takeOver(attempt);
    if (workId === undefined) throw new IdempotencyItemAlreadyExistsError();
    this.#workId = workId;
  }

  /** What another attempt has written; of an abandoned one only that its payload was another. */
  protected async _getRecord(idempotencyKey: string): Promise<IdempotencyRecord> {
    const record = await this.#table.find(idempotencyKey);
    if (record === undefined) throw new IdempotencyItemNotFoundError();
    const { status, payloadHash, answer } = record;
    // It was at work a moment ago: now it can be taken over.
    if (isAbandoned(record, this.#options.now()) && payloadHash === this.#payloadHash) {
      throw new IdempotencyItemNotFoundError();
    }
    return new IdempotencyRecord({
      ...{ idempotencyKey, status, payloadHash },
      ...(answer === undefined ? {} : { responseData: answer }),
    });
  }

  protected async _updateRecord({ idempotencyKey, responseData }: IdempotencyRecord): Promise<void> {
    await this.#table.keep({ idempotencyKey, name: this.#name }, String(responseData));
  }

  /** Powertools asks for it when the work has failed. The record stays for the sake of the work id. */
  protected async _deleteRecord({ idempotencyKey }: IdempotencyRecord): Promise<void> {
    await this.#table.abandon({ idempotencyKey, name: this.#name });
  }

  #remainingMs(): number {
    return Math.max(1, this.#options.remainingMs());
  }
}
