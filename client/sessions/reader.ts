import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { ReadPreference } from '../../functions/shards/sharding.ts';
import { ShardError } from '../errors.ts';
import { look, progressOf } from '../instances/look.ts';
import { isConnectionError, isRecoveryConflict } from '../instances/server-errors.ts';
import type { ShardAccess } from '../instances/shard-access.ts';
import type { Address } from '../map/view.ts';
import { type Position, positionOf } from './position.ts';
import { type Isolation, isolations, type Result, type Session, sessionOn } from './session.ts';

export interface ReaderSettings {
  readonly preference: ReadPreference;
  /** A position that `writer.position()` gave: what was committed before it is seen. */
  readonly after?: string | undefined;
  readonly maxLagSeconds: number;
  readonly positionWaitMs: number;
}

/** How many instances a read is tried on, the writer among them. */
const mostTried = 4;
/** How often a reader is asked whether it has got a position, in milliseconds. */
const pollMs = 10;

/** Instances to read a key's shard from. Nothing can be written by it, wherever it leads. */
export class ShardReads implements Session {
  readonly shard: string;
  readonly #access: ShardAccess;
  readonly #settings: ReaderSettings;
  readonly #after: Position | undefined;

  /** @throws ShardError `invalid-position` */
  constructor(shard: string, access: ShardAccess, settings: ReaderSettings) {
    this.shard = shard;
    this.#access = access;
    this.#settings = settings;
    this.#after = settings.after === undefined ? undefined : positionOf(settings.after);
    if (this.#after !== undefined && this.#after.shard !== shard) {
      throw new ShardError('invalid-position', `The position is one of another shard than ${shard}.`);
    }
  }

  /**
   * Reads by one statement. Where an instance is lost meanwhile, or a reader gives up because of what it replays, it is read
   * elsewhere.
   *
   * @throws ShardError `unavailable`, `busy`; errors of PostgreSQL as they are.
   */
  async query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Result<Row>> {
    return this.#use((client) => sessionOn(client).query<Row>(text, values), true);
  }

  /** Reads by several statements on one instance, in one read-only transaction. It is never run a second time. */
  async transaction<T>(
    work: (session: Session) => Promise<T>,
    { isolation = 'read committed' }: { readonly isolation?: Exclude<Isolation, 'serializable'> } = {},
  ): Promise<T> {
    const outcome = await this.#use(async (client) => {
      await client.query(`BEGIN ISOLATION LEVEL ${isolations[isolation]} READ ONLY`);
      const [result] = await Promise.allSettled([(async () => work(sessionOn(client)))()]);
      // Where not even this arrives, the connection broke.
      await client.query('ROLLBACK');
      return result;
    }, false);
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  async #use<T>(work: (client: pg.ClientBase) => Promise<T>, again: boolean): Promise<T> {
    const { preference, maxLagSeconds } = this.#settings;
    const after = this.#after;
    // After a failover, what a position of before says of the new log is not certain: the writer has all there is.
    const known = after === undefined || after.epoch === this.#access.place.shardEpoch;
    const addresses = await this.#access.readFrom(known ? preference : 'primary', maxLagSeconds, after?.log);
    for (const address of addresses.slice(0, mostTried - 1)) {
      const client = await this.#readerAt(address);
      if (client === undefined) continue;
      const outcome = await this.#tryOn(client, address, work, again);
      if (outcome !== undefined) return outcome.value;
    }
    const { client } = await this.#access.writer('read');
    return this.#finish(client, work);
  }

  /** A connection to a reader that has what it has to have; undefined where there is none in time. */
  async #readerAt(address: Address): Promise<pg.PoolClient | undefined> {
    let client: pg.PoolClient;
    try {
      client = await this.#access.reader(address);
    } catch (error) {
      if (error instanceof ShardError && error.code === 'closed') throw error;
      return undefined;
    }
    try {
      if (await this.#has(client)) return client;
      client.release();
    } catch {
      client.release(true);
      this.#access.broke(address);
    }
    return undefined;
  }

  /** Waits until the instance has what was asked for, as long as that may take. */
  async #has(client: pg.ClientBase): Promise<boolean> {
    if (this.#after === undefined) return true;
    const deadline = performance.now() + this.#settings.positionWaitMs;
    const kind = await look(client, this.shard);
    // The writer by now: it has everything.
    if (!kind.replica) return true;
    for (;;) {
      const { position } = await progressOf(client, kind);
      if (position !== undefined && position >= this.#after.log) return true;
      if (performance.now() >= deadline) return false;
      await sleep(pollMs);
    }
  }

  async #tryOn<T>(
    client: pg.PoolClient,
    address: Address,
    work: (client: pg.ClientBase) => Promise<T>,
    again: boolean,
  ): Promise<{ value: T } | undefined> {
    try {
      return { value: await this.#finish(client, work, address) };
    } catch (error) {
      const elsewhere =
        error instanceof ShardError ? error.code === 'unavailable' : isRecoveryConflict(error);
      if (again && elsewhere) return undefined;
      throw error;
    }
  }

  async #finish<T>(
    client: pg.PoolClient,
    work: (client: pg.ClientBase) => Promise<T>,
    address?: Address,
  ): Promise<T> {
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      broken = isConnectionError(error);
      if (!broken) throw error;
      throw new ShardError('unavailable', `An instance of ${this.shard} was lost while it was read.`, {
        cause: error,
      });
    } finally {
      client.release(broken);
      if (broken) this.#access.broke(address);
    }
  }
}
