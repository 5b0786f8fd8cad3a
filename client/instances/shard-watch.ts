import type { Address, Place } from '../map/view.ts';
import type { Settings } from '../options.ts';
import type { Instance, Observation } from './choose.ts';
import { LagClock } from './lag-clock.ts';
import { type Look, look, progressOf } from './look.ts';
import { InstancePool } from './pool.ts';
import { within } from './within.ts';

export const addressKey = ({ host, port }: Address): string => `${host}:${port}`;

/** A shard that nothing has asked for in this time is not looked at any more, in milliseconds. */
const forgottenMs = 60_000;

interface Watched {
  readonly address: Address;
  readonly pool: InstancePool;
  seen?: Observation | undefined;
}

export interface WatchParts {
  readonly settings: Settings;
  readonly now: () => number;
  /** Told when an instance knows of a later epoch than the map. */
  readonly onLaterEpoch: () => void;
}

/** Looks at the instances of one shard again and again, for as long as it is in use. */
export class ShardWatch {
  readonly #parts: WatchParts;
  readonly #clock = new LagClock();
  readonly #watched = new Map<string, Watched>();
  #place: Place;
  #seenEpoch = 0;
  #usedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(place: Place, parts: WatchParts) {
    this.#place = place;
    this.#parts = parts;
  }

  /** The shard is in use: it is looked at from now on. */
  use(): void {
    this.#usedAt = this.#parts.now();
    if (this.#timer !== undefined || this.#round !== undefined || this.#stopped) return;
    this.#begin();
  }

  /** Resolves when the first look has been made. */
  async first(): Promise<void> {
    if (this.#round !== undefined && [...this.#watched.values()].every(({ seen }) => seen === undefined)) {
      await this.#round;
    }
  }

  /** An instance and what is known of it. */
  instance(address: Address): Instance {
    return { address, seen: this.#watched.get(addressKey(address))?.seen };
  }

  /** A connection to it failed: nothing goes there until it answers again. */
  lost(address: Address): void {
    const watched = this.#watched.get(addressKey(address));
    if (watched !== undefined) watched.seen = undefined;
  }

  moved(place: Place): void {
    const wasElsewhere = addressKey(place.writer) !== addressKey(this.#place.writer);
    if (wasElsewhere || place.shardEpoch !== this.#place.shardEpoch) this.#clock.clear();
    this.#place = place;
    this.#forgetOthers();
  }

  /** An instance has told of an epoch. */
  heard(epoch: number | undefined): void {
    if (epoch === undefined || epoch <= this.#seenEpoch) return;
    this.#seenEpoch = epoch;
    if (epoch > this.#place.shardEpoch) this.#parts.onLaterEpoch();
  }

  /**
   * Whether a writer of that epoch has been replaced. What instances tell counts while the map is not ahead of it: an epoch that
   * began otherwise, by a restore for example, is written to the database only with the next probe.
   */
  isReplaced(epoch: number | undefined): boolean {
    return this.#seenEpoch >= this.#place.shardEpoch && (epoch ?? Infinity) < this.#seenEpoch;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const { pool } of this.#watched.values()) pool.retire(true);
    this.#watched.clear();
  }

  #begin(): void {
    this.#timer = undefined;
    const { now, settings } = this.#parts;
    if (this.#stopped) return;
    if (now() - this.#usedAt > forgottenMs) {
      this.#forgetAll();
      return;
    }
    this.#round = this.#look().finally(() => {
      this.#round = undefined;
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.#begin(), settings.watchIntervalMs);
      this.#timer.unref();
    });
  }

  /** The writer first: what it has written by then is what readers are measured by. */
  async #look(): Promise<void> {
    const { writer, readers } = this.#place;
    const { watchIntervalMs } = this.#parts.settings;
    const asked = this.#ask(writer, (position, at) => this.#clock.record(at, position));
    await within(watchIntervalMs, asked).catch(() => {});
    const others = readers.filter((reader) => addressKey(reader) !== addressKey(writer));
    await Promise.all([asked, ...others.map((reader) => this.#ask(reader))]);
  }

  async #ask(address: Address, onWriter?: (position: bigint, at: number) => void): Promise<void> {
    const { now, settings } = this.#parts;
    const watched = this.#watch(address);
    const started = now();
    try {
      const { found, position, engineLagSeconds } = await within(
        settings.connectTimeoutMs,
        this.#question(watched.pool),
      );
      const at = now();
      this.heard(found.epoch);
      if (position !== undefined && !found.replica) onWriter?.(position, at);
      const lag =
        engineLagSeconds ?? (position === undefined ? undefined : this.#clock.lagSeconds(position, at));
      const latencyMs = 0.7 * (watched.seen?.latencyMs ?? at - started) + 0.3 * (at - started);
      watched.seen = {
        ...found,
        at,
        latencyMs,
        ...(position !== undefined && { position }),
        ...(found.replica && lag !== undefined && { lagSeconds: lag }),
      };
    } catch {
      watched.seen = undefined;
    }
  }

  async #question(
    pool: InstancePool,
  ): Promise<{ found: Look; position?: bigint; engineLagSeconds?: number }> {
    const client = await pool.acquire();
    let failure: Error | undefined;
    try {
      const found = await look(client, this.#place.shard);
      return { found, ...(await progressOf(client, found)) };
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(failure);
    }
  }

  #watch(address: Address): Watched {
    const key = addressKey(address);
    const known = this.#watched.get(key);
    if (known !== undefined) return known;
    const pool = new InstancePool({
      address,
      database: this.#place.database,
      mode: 'watch',
      settings: this.#parts.settings,
      durability: 'majority',
      admit: async () => {},
    });
    const watched = { address, pool };
    this.#watched.set(key, watched);
    return watched;
  }

  #forgetOthers(): void {
    const { writer, readers } = this.#place;
    const current = new Set([writer, ...readers].map(addressKey));
    for (const [key, { pool }] of this.#watched) {
      if (current.has(key)) continue;
      pool.retire(true);
      this.#watched.delete(key);
    }
  }

  #forgetAll(): void {
    for (const { pool } of this.#watched.values()) pool.retire(false);
    this.#watched.clear();
    this.#clock.clear();
  }
}
