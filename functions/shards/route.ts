import * as z from 'zod';
import { Problem } from '../shared/problem.ts';
import type { Route } from './contract.ts';
import { hashKey } from './hash/keys.ts';
import { type ShardMap, shardOfSlot, slotOf } from './map/shard-map.ts';
import type { Places } from './places.ts';
import type { Sharding } from './sharding.ts';

export interface RouteRequest {
  readonly key: string;
  /** Default: the first entity configured. */
  readonly kind?: string | undefined;
  readonly tenant?: string | undefined;
}

/**
 * Where a key lives.
 *
 * @throws Problem naming the field: a kind that is not configured, or a key that is none of its type.
 */
export async function route(
  { key, kind, tenant }: RouteRequest,
  { map, sharding, places }: { map: ShardMap; sharding: Sharding; places: Pick<Places, 'find'> },
): Promise<Route> {
  const entity =
    kind === undefined ? sharding.entities[0] : sharding.entities.find((known) => known.kind === kind);
  if (entity === undefined) {
    const known = sharding.entities.map((each) => each.kind).join(', ');
    throw unprocessable('query.kind', `There is no entity ${kind}; there are: ${known}.`);
  }
  const hash = hashOf(entity.keyType, key);
  const slot = slotOf(hash, map.slots);
  const pin = tenant === undefined ? undefined : sharding.pins.find((each) => each.tenant === tenant);
  const shard = pin?.shard ?? shardOfSlot(map, slot);
  const place = await places.find(shard);
  if (place === undefined) throw new Problem('not-available', `The shard ${shard} is not known at present.`);
  return {
    ...place,
    kind: entity.kind,
    keyType: entity.keyType,
    key,
    hash: String(hash),
    slot,
    pinned: pin !== undefined,
    mapEpoch: map.epoch,
    readPreference: sharding.readPreference,
    readers: [...place.readers],
  };
}

function hashOf(type: Parameters<typeof hashKey>[0], key: string): bigint {
  try {
    return hashKey(type, key);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const wanted = error.issues[0]?.message ?? type;
    throw unprocessable('query.key', `The key is no ${type}: it has to be ${wanted}.`);
  }
}

function unprocessable(field: string, message: string): Problem {
  return new Problem('unprocessable-request', message, { errors: [{ field, message }] });
}
