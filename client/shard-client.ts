import type { ReadPreference } from '../functions/shards/sharding.ts';
import { ShardError } from './errors.ts';
import { ShardAccess } from './instances/shard-access.ts';
import type { ClientRoute, Key, KeyOf } from './map/directory.ts';
import { viewFrom } from './map/fetch-view.ts';
import { MapKeeper } from './map/map-keeper.ts';
import { type Settings, type ShardClientOptions, settingsOf } from './options.ts';
import { ShardReads } from './sessions/reader.ts';
import { ShardWriter } from './sessions/writer.ts';

export interface ReadOptions extends KeyOf {
  /** Default: as the deployment has it. */
  readonly preference?: ReadPreference | undefined;
  /** A position that `writer.position()` gave: what was committed before it is seen. */
  readonly after?: string | undefined;
  /** Default: as the client has it. */
  readonly maxLagSeconds?: number | undefined;
}

/**
 * The way of a service to its keys' shards. It knows the shard map and has it refreshed in the background; a decision where a key
 * lives, or where it is read from, asks nobody.
 */
export class ShardClient {
  readonly #settings: Settings;
  readonly #keeper: MapKeeper;
  readonly #shards = new Map<string, ShardAccess>();
  #closed = false;

  /** @throws ShardError `invalid-options` */
  constructor(options: ShardClientOptions) {
    this.#settings = settingsOf(options);
    const { refreshMs, maxMapAgeMs } = this.#settings;
    this.#keeper = new MapKeeper({
      fetchView: viewFrom(this.#settings),
      refreshMs,
      maxMapAgeMs,
      now: () => performance.now(),
      onMoved: (place) => this.#shards.get(place.shard)?.moved(place),
    });
  }

  /** Gets the shard map. @throws ShardError `map-unavailable` */
  async start(): Promise<this> {
    await this.#keeper.start();
    return this;
  }

  /**
   * Where a key lives. It asks nobody.
   *
   * @param of the kind of its entity, or that and whose it is.
   * @throws ShardError `unknown-kind`, `invalid-key`, `map-unavailable`, `closed`
   */
  route(key: Key, of: string | KeyOf = {}): ClientRoute {
    return this.#keeper.directory.route(key, typeof of === 'string' ? { kind: of } : of);
  }

  /** The writer of a key's shard, whichever instance that is at the time. @throws as `route` */
  writer(key: Key, of: string | KeyOf = {}): ShardWriter {
    const { shard } = this.route(key, of);
    return new ShardWriter(shard, this.#access(shard));
  }

  /**
   * Where to read a key from.
   *
   * @param how the read preference, or that and more.
   * @throws as `route`; ShardError `invalid-position`
   */
  reader(key: Key, how: ReadPreference | ReadOptions = {}): ShardReads {
    const options: ReadOptions = typeof how === 'string' ? { preference: how } : how;
    const { shard } = this.route(key, options);
    const { maxLagSeconds, positionWaitMs } = this.#settings;
    return new ShardReads(shard, this.#access(shard), {
      preference: options.preference ?? this.#keeper.directory.view.readPreference,
      after: options.after,
      maxLagSeconds: options.maxLagSeconds ?? maxLagSeconds,
      positionWaitMs,
    });
  }

  /** Has the map refreshed now. It does not throw: what was known stays known. */
  refresh(): Promise<void> {
    return this.#keeper.refresh();
  }

  /** How the client stands, for health checks and metrics. */
  status() {
    const { view } = this.#keeper.directory;
    return {
      mapEpoch: view.map.epoch,
      mapAgeMs: this.#keeper.ageMs,
      shards: view.places.map(({ shard, shardEpoch }) => ({
        shard,
        shardEpoch,
        instances: this.#shards.get(shard)?.describe() ?? [],
      })),
    };
  }

  /** Ends all connections at once. */
  close(): void {
    this.#closed = true;
    this.#keeper.stop();
    for (const access of this.#shards.values()) access.stop();
    this.#shards.clear();
  }

  #access(shard: string): ShardAccess {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    if (this.#closed) throw new ShardError('closed', 'The client has been closed.');
    const { directory } = this.#keeper;
    const access = new ShardAccess(directory.place(shard), {
      settings: this.#settings,
      durability: directory.view.writeDurability,
      now: () => performance.now(),
      refresh: () => this.#keeper.refresh(),
    });
    this.#shards.set(shard, access);
    return access;
  }
}
