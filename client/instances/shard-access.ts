import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { ReadPreference } from '../../functions/shards/sharding.ts';
import { ShardError } from '../errors.ts';
import type { Address, Place } from '../map/view.ts';
import type { Settings } from '../options.ts';
import { choose } from './choose.ts';
import type { Durability } from './connection.ts';
import { look } from './look.ts';
import { InstancePool } from './pool.ts';
import { isConnectionError } from './server-errors.ts';
import { addressKey, ShardWatch } from './shard-watch.ts';
import { within } from './within.ts';

export interface AccessParts {
  readonly settings: Settings;
  readonly durability: Durability;
  readonly now: () => number;
  /** Has the map refreshed; resolves when that has been tried. */
  readonly refresh: () => Promise<void>;
}

/** The pause between two attempts to reach a writer, in milliseconds. */
const pauseMs = 200;

/** All connections to one shard. */
export class ShardAccess {
  readonly #parts: AccessParts;
  readonly #watch: ShardWatch;
  readonly #pools = new Map<string, InstancePool>();
  #place: Place;
  #turn = 0;

  constructor(place: Place, parts: AccessParts) {
    this.#place = place;
    this.#parts = parts;
    const { settings, now, refresh } = parts;
    const onLaterEpoch = () => {
      // Whoever is being written to may have been replaced: each connection has to be looked at anew.
      this.#leave((key) => key.startsWith('write '));
      void refresh();
    };
    this.#watch = new ShardWatch(place, { settings, now, onLaterEpoch });
  }

  get place(): Place {
    return this.#place;
  }

  /** What is known of the shard's instances, the writer first. */
  describe() {
    const { writer, readers } = this.#place;
    return [writer, ...readers].map((address, index) => {
      const { seen } = this.#watch.instance(address);
      return {
        host: address.host,
        port: address.port,
        routedAs: index === 0 ? ('writer' as const) : ('reader' as const),
        reachable: seen !== undefined,
        ...(seen?.lagSeconds !== undefined && { lagSeconds: seen.lagSeconds }),
        ...(seen !== undefined && { latencyMs: seen.latencyMs }),
        connections: {
          write: this.#pools.get(`write ${addressKey(address)}`)?.counts,
          read: this.#pools.get(`read ${addressKey(address)}`)?.counts,
        },
      };
    });
  }

  /**
   * The map leads elsewhere. Whoever writes by a connection of an older epoch does not get to commit; what is read from where
   * nothing leads any more may be read to its end.
   */
  moved(place: Place): void {
    const before = this.#place;
    this.#place = place;
    this.#watch.moved(place);
    const current = new Set([place.writer, ...place.readers].map(addressKey));
    const replaced =
      place.shardEpoch !== before.shardEpoch || addressKey(place.writer) !== addressKey(before.writer);
    this.#leave((key) => (key.startsWith('write ') ? replaced : !current.has(key.slice('read '.length))));
  }

  /**
   * A connection to the writer, for writing or for reading alone; waits for one while the shard fails over.
   *
   * @throws ShardError `unavailable`, `busy`, `map-unavailable`, `closed`; PostgreSQL's own where it refuses the login.
   */
  async writer(mode: 'write' | 'read' = 'write'): Promise<{ client: pg.PoolClient; epoch: number }> {
    this.#watch.use();
    const { settings, now, refresh } = this.#parts;
    const deadline = now() + settings.writerWaitMs;
    for (;;) {
      const { writer, shardEpoch: epoch } = this.#place;
      try {
        return { client: await this.#pool(writer, mode).acquire(), epoch };
      } catch (cause) {
        if (!passes(cause)) throw cause;
        this.#watch.lost(writer);
        if (now() >= deadline) {
          throw new ShardError('unavailable', `The writer of ${this.#place.shard} cannot be reached.`, {
            cause,
          });
        }
        await refresh();
        await sleep(Math.max(0, Math.min(pauseMs, deadline - now())));
      }
    }
  }

  /** Where a read may go before it goes to the writer, in the order of trying. */
  async readFrom(preference: ReadPreference, maxLagSeconds: number, position?: bigint): Promise<Address[]> {
    this.#watch.use();
    if (preference !== 'primary') await this.#watch.first();
    const { writer, readers } = this.#place;
    const { settings, now } = this.#parts;
    const known = (address: Address) => this.#watch.instance(address);
    return choose(known(writer), readers.map(known), {
      preference,
      maxLagSeconds,
      position,
      freshMs: 3 * settings.watchIntervalMs + 1_000,
      now: now(),
      turn: this.#turn++,
    });
  }

  /** A connection for reading. @throws as it comes: the caller tries the next instance. */
  async reader(address: Address): Promise<pg.PoolClient> {
    try {
      return await this.#pool(address, 'read').acquire();
    } catch (error) {
      if (passes(error)) this.#watch.lost(address);
      throw error;
    }
  }

  /** A connection broke, or the instance does not write any more. */
  broke(address?: Address): void {
    this.#watch.lost(address ?? this.#place.writer);
    void this.#parts.refresh();
  }

  stop(): void {
    this.#watch.stop();
    for (const pool of this.#pools.values()) pool.retire(true);
    this.#pools.clear();
  }

  #leave(which: (key: string) => boolean): void {
    for (const [key, pool] of this.#pools) {
      if (!which(key)) continue;
      pool.retire(key.startsWith('write '));
      this.#pools.delete(key);
    }
  }

  #pool(address: Address, mode: 'write' | 'read'): InstancePool {
    const key = `${mode} ${addressKey(address)}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const { settings, durability } = this.#parts;
    const { database } = this.#place;
    const admit = (client: pg.ClientBase) =>
      within(settings.connectTimeoutMs, this.#admit(client, address, mode));
    const pool = new InstancePool({ address, database, mode, settings, durability, admit });
    this.#pools.set(key, pool);
    return pool;
  }

  /** Looks at a new connection: it has to lead to what the map says it leads to. */
  async #admit(client: pg.ClientBase, address: Address, mode: 'write' | 'read'): Promise<void> {
    const found = await look(client, this.#place.shard);
    const { shard, writer } = this.#place;
    this.#watch.heard(found.epoch);
    const refuse = (what: string) => {
      throw new ShardError('stale-writer', `${addressKey(address)} of ${shard} ${what}.`);
    };
    if (addressKey(address) === addressKey(writer)) {
      if (found.replica) refuse('is a reader');
      if (mode === 'write' && found.readOnly) refuse('has been fenced: its sessions begin read-only');
      if (this.#watch.isReplaced(found.epoch))
        refuse(`is a writer of epoch ${found.epoch} and has been replaced`);
    } else if (!found.replica) {
      refuse('is a reader by the map, and a writer that has been replaced or promoted by its own account');
    }
  }
}

/** Whether it may be otherwise in a moment: nothing answered, or not what should. */
function passes(error: unknown): boolean {
  return error instanceof ShardError ? error.code === 'stale-writer' : isConnectionError(error);
}
