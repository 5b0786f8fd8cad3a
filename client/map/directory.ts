import { hashKey, type KeyType } from '../../functions/shards/hash/keys.ts';
import { shardOfSlot, slotOf } from '../../functions/shards/map/shard-map.ts';
import { ShardError } from '../errors.ts';
import type { Place, View } from './view.ts';

/** A key: numbers for `int4` and `int8`, bytes for `bytea`, or the text that a request would have. */
export type Key = string | number | bigint | Uint8Array;

/** Whose key it is. */
export interface KeyOf {
  /** Which entity; default: the first one configured. */
  readonly kind?: string | undefined;
  /** A tenant may be pinned to a shard, whatever its keys. */
  readonly tenant?: string | undefined;
}

/** Where a key lives. */
export interface ClientRoute {
  readonly kind: string;
  readonly shard: string;
  readonly slot: number;
  readonly hash: bigint;
  readonly pinned: boolean;
  readonly mapEpoch: number;
  readonly shardEpoch: number;
}

/** One shard map, ready to be asked. It does not change. */
export class Directory {
  readonly view: View;
  readonly #keyTypes: ReadonlyMap<string, KeyType>;
  readonly #pins: ReadonlyMap<string, string>;
  readonly #places: ReadonlyMap<string, Place>;

  constructor(view: View) {
    this.view = view;
    this.#keyTypes = new Map(view.entities.map(({ kind, keyType }) => [kind, keyType]));
    this.#pins = new Map(view.pins.map(({ tenant, shard }) => [tenant, shard]));
    this.#places = new Map(view.places.map((place) => [place.shard, place]));
  }

  /** Where a key lives, without asking anybody. @throws ShardError `unknown-kind`, `invalid-key` */
  route(key: Key, { kind = this.view.entities[0]?.kind ?? '', tenant }: KeyOf = {}): ClientRoute {
    const type = this.#keyTypes.get(kind);
    if (type === undefined) {
      const known = [...this.#keyTypes.keys()].join(', ');
      throw new ShardError('unknown-kind', `There is no entity ${kind.slice(0, 64)}; there are: ${known}.`);
    }
    const hash = hashOf(type, key);
    const { map } = this.view;
    const slot = slotOf(hash, map.slots);
    const pin = tenant === undefined ? undefined : this.#pins.get(tenant);
    const shard = pin ?? shardOfSlot(map, slot);
    const { shardEpoch } = this.place(shard);
    return { kind, shard, slot, hash, pinned: pin !== undefined, mapEpoch: map.epoch, shardEpoch };
  }

  /** @throws ShardError `map-unavailable` where the map leads to a shard that it does not describe. */
  place(shard: string): Place {
    const place = this.#places.get(shard);
    if (place !== undefined) return place;
    throw new ShardError('map-unavailable', `The shard ${shard} is not known at present.`);
  }
}

function hashOf(type: KeyType, key: Key): bigint {
  // The key itself is not for messages: it may be what it should not be, and megabytes of it.
  const text = key instanceof Uint8Array ? Buffer.from(key).toString('hex') : String(key);
  if (key instanceof Uint8Array && type !== 'bytea') {
    throw new ShardError('invalid-key', `The key is no ${type}: it is bytes.`);
  }
  try {
    return hashKey(type, text);
  } catch (cause) {
    throw new ShardError('invalid-key', `The key is no ${type}, as the entity has it.`, { cause });
  }
}
