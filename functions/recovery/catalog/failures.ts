import { failureOf } from '../errors.ts';
import { type Failure, failureSchema } from '../model.ts';
import type { RecoveryTable } from './recovery-table.ts';

const prefix = 'FAILURE#';
const keepSeconds = 30 * 24 * 60 * 60;

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
      const expiresAt = Math.floor(Date.now() / 1000) + keepSeconds;
      await this.#table.put({ ...key, ...failureOf(error), expiresAt }).catch(() => undefined);
      throw error;
    }
  }

  async first(): Promise<Failure | undefined> {
    for await (const item of this.#table.query({ pk: this.#pk, prefix })) {
      return failureSchema.parse({ code: item.code, message: item.message });
    }
    return undefined;
  }
}
