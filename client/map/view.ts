import * as z from 'zod';
import { keyTypes } from '../../functions/shards/hash/keys.ts';
import { shardMapSchema } from '../../functions/shards/map/shard-map.ts';
import { readPreferences, writeDurabilities } from '../../functions/shards/sharding.ts';

const addressSchema = z.object({ host: z.string(), port: z.int() });
export type Address = z.output<typeof addressSchema>;

const placeSchema = z.object({
  shard: z.string(),
  database: z.string(),
  shardEpoch: z.int(),
  writer: addressSchema,
  readers: z.array(addressSchema.extend({ instance: z.string() })).max(64),
});
/** Where a shard is, under one of its epochs. */
export type Place = z.output<typeof placeSchema>;

const answerSchema = z.object({
  slots: z.int(),
  mapEpoch: z.int(),
  changedAt: z.string(),
  readPreference: z.enum(readPreferences),
  writeDurability: z.enum(writeDurabilities),
  entities: z.array(z.object({ kind: z.string(), keyType: z.enum(keyTypes) })).min(1),
  pins: z.array(z.object({ tenant: z.string(), shard: z.string() })),
  shards: z
    .array(placeSchema.extend({ ranges: z.array(z.object({ first: z.int(), last: z.int() })) }))
    .min(1)
    .max(1_000),
});
/** What a client takes of an answer of `GET /api/database/sharding`; members that it does not know do not matter. */
export interface View {
  readonly map: Pick<z.output<typeof shardMapSchema>, 'epoch' | 'slots' | 'ranges'>;
  readonly readPreference: z.output<typeof answerSchema>['readPreference'];
  readonly writeDurability: z.output<typeof answerSchema>['writeDurability'];
  readonly entities: z.output<typeof answerSchema>['entities'];
  readonly pins: z.output<typeof answerSchema>['pins'];
  readonly places: readonly Place[];
}

/** @throws z.ZodError when it is no shard map, or one that does not say of each slot where it lies. */
export function viewOf(answer: unknown): View {
  const { slots, mapEpoch, changedAt, shards, ...rest } = answerSchema.parse(answer);
  const ranges = shards
    .flatMap(({ shard, ranges }) => ranges.map(({ first, last }) => ({ first, last, shard })))
    .sort((one, other) => one.first - other.first);
  const map = shardMapSchema.parse({ epoch: mapEpoch, slots, ranges, changedAt, reason: '' });
  return { ...rest, map, places: shards.map(({ ranges: _, ...place }) => place) };
}
