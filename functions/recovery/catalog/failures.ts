import { failureOf } from '../errors.ts';
import { type Failure, failureSchema } from '../model.ts';
import { keptFor, workingRecordDays } from './kept-for.ts';
import type { RecoveryTable } from './recovery-table.ts';

const prefix = 'FAILURE#';

/**
 * What failed in the items of a distributed Map: the Map itself only says that too many items failed. A later
 * success takes the note away again.
 */
export class Failures {
  readonly #table: RecoveryTable;
  readonly #pk: string;

  /** @param pk the partition of the backup or operation. */
  constructor(table: RecoveryTable, pk: string) {
    this.#table = table;
    this.#pk = pk;
  }

  /** Runs the work on one item and notes how it failed; the error is thrown on. */
  async watch<T>(item: string, work: () => Promise<T>): Promise<T> {
    const key = { pk: this.#pk, sk: `${prefix}${item}` };
    try {
      const result = await work();
      await this.#table.delete(key);
      return result;
    } catch (error) {
      const expiresAt = keptFor(workingRecordDays, Date.now());
      await this.#table.put({ ...key, ...failureOf(error), expiresAt }).catch(() => undefined);
      throw error;
    }
  }

  /** A distributed Map only says that items failed; the items say why, unless even that could not be noted. */
  async explain(failure: Failure): Promise<Failure> {
    if (!failure.code.startsWith('States.')) return failure;
    const noted = await this.#first();
    if (noted !== undefined || failure.code !== 'States.ExceedToleratedFailureThreshold') {
      return noted ?? failure;
    }
    return {
      code: failure.code,
      message:
        'Parts of the work failed for good, and could not note why: DynamoDB did not take it. The logs of the functions tell, under the trace id of the request.',
    };
  }

  async #first(): Promise<Failure | undefined> {
    for await (const item of this.#table.query({ pk: this.#pk, prefix })) {
      return failureSchema.parse({ code: item.code, message: item.message });
    }
    return undefined;
  }
}
