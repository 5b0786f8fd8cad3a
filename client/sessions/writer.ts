import type pg from 'pg';
import { ShardError } from '../errors.ts';
import { type Durability, synchronousCommit } from '../instances/connection.ts';
import { look, progressOf } from '../instances/look.ts';
import { isConnectionError, isReadOnly } from '../instances/server-errors.ts';
import type { ShardAccess } from '../instances/shard-access.ts';
import { positionText } from './position.ts';
import { type Isolation, isolations, type Result, type Session, sessionOn } from './session.ts';

export interface TransactionOptions {
  /** When its commit counts as done; default: as the deployment has it. */
  readonly durability?: Durability;
  readonly isolation?: Isolation;
}

/** The writer of a key's shard, whichever instance that is at the time. */
export class ShardWriter implements Session {
  readonly shard: string;
  readonly #access: ShardAccess;

  constructor(shard: string, access: ShardAccess) {
    this.shard = shard;
    this.#access = access;
  }

  /**
   * Runs one statement, which is a transaction of its own.
   *
   * @throws ShardError `outcome-unknown` where the connection broke meanwhile; `unavailable`, `stale-writer` and `busy` where nothing
   * was written; errors of PostgreSQL as they are.
   */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Result<Row>> {
    return this.#use((client) => this.#sent(() => sessionOn(client).query<Row>(text, values)));
  }

  /**
   * Runs `work` in a transaction and commits it, or rolls it back when `work` throws. It is never run a second time.
   *
   * @throws as `query`, and what `work` throws.
   */
  transaction<T>(work: (session: Session) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { durability, isolation = 'read committed' } = options;
    const begin = [`BEGIN ISOLATION LEVEL ${isolations[isolation]}`];
    if (durability !== undefined)
      begin.push(`SET LOCAL synchronous_commit = ${synchronousCommit[durability]}`);
    return this.#use(async (client) => {
      await this.#unsent(() => client.query(begin.join('; ')));
      let result: T;
      try {
        result = await work(sessionOn(client));
      } catch (error) {
        // Where not even this arrives, the connection broke, and with it the transaction.
        await this.#unsent(() => client.query('ROLLBACK'), error);
        throw error;
      }
      const { command } = await this.#sent(() => client.query('COMMIT'));
      if (command !== 'COMMIT') {
        throw new Error('A statement had failed, so the transaction was rolled back in place of its commit.');
      }
      return result;
    });
  }

  /**
   * How far the shard's log has come: whoever reads by `reader(key, { after })` gets to see everything that was committed before.
   * A text that can be kept in a cookie.
   */
  position(): Promise<string> {
    return this.#use((client, epoch) =>
      this.#unsent(async () => {
        const { position } = await progressOf(client, await look(client, this.shard));
        if (position === undefined) throw new Error('The instance does not tell its position.');
        return positionText({ shard: this.shard, epoch, log: position });
      }),
    );
  }

  async #use<T>(work: (client: pg.ClientBase, epoch: number) => Promise<T>): Promise<T> {
    const { client, epoch } = await this.#access.writer();
    let broken: Error | undefined;
    try {
      return await work(client, epoch);
    } catch (error) {
      if (isReadOnly(error)) {
        broken = new ShardError('stale-writer', `The writer of ${this.shard} takes no writes.`, {
          cause: error,
        });
        throw broken;
      }
      if (error instanceof ShardError) broken = error;
      throw error;
    } finally {
      client.release(broken);
      if (broken !== undefined) this.#access.broke();
    }
  }

  /** Of what writes: when the connection breaks, nobody knows. */
  async #sent<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (!isConnectionError(cause)) throw cause;
      throw new ShardError('outcome-unknown', `The writer of ${this.shard} was lost while it wrote.`, {
        cause,
      });
    }
  }

  /** Of what writes nothing that would stay. */
  async #unsent<T>(work: () => Promise<T>, reason?: unknown): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      const message = `The writer of ${this.shard} was lost; nothing was committed.`;
      throw new ShardError('unavailable', message, { cause: reason ?? error });
    }
  }
}
