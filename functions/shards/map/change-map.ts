import * as z from 'zod';
import { Problem } from '../../shared/problem.ts';
import type { MapStore } from './map-store.ts';
import { mostRanges, rangesAfter, type ShardMap, shardOfSlot } from './shard-map.ts';

const slotRangeSchema = z
  .strictObject({ first: z.int().min(0).max(65_535), last: z.int().min(0).max(65_535) })
  .refine(({ first, last }) => first <= last, { path: ['last'], message: 'less than first' });

export const mapChangeSchema = z.strictObject({
  epoch: z
    .int()
    .min(1)
    .describe('The `mapEpoch` that it is meant for: a map that has changed since is left as it is.'),
  moves: z
    .array(
      z.strictObject({
        slots: z.array(slotRangeSchema).min(1).max(mostRanges),
        from: z.string().min(1).max(31).describe('Where they lie; another place is refused.'),
        to: z.string().min(1).max(31),
      }),
    )
    .min(1)
    .max(5_000)
    .describe('As `recommend` gives them, of which each has more members.'),
  reason: z.string().min(1).max(300).describe('Is kept with the map.'),
});
export type MapChange = z.output<typeof mapChangeSchema>;

export const mapChangedSchema = z.strictObject({
  mapEpoch: z.int().describe('Of the map that holds now.'),
  changedAt: z.iso.datetime(),
  slots: z.int().describe('How many lie elsewhere now.'),
});

/**
 * Notes that slots lie elsewhere. No row is moved by it.
 *
 * @throws Problem where the map is not the one that is meant, or the change is none that a map can have.
 */
export async function changeMap(
  { epoch, moves, reason }: MapChange,
  {
    maps,
    shards,
    now,
  }: {
    readonly maps: Pick<MapStore, 'readNow' | 'change'>;
    /** Names of those that there are. */
    readonly shards: readonly string[];
    readonly now: () => Date;
  },
): Promise<z.output<typeof mapChangedSchema>> {
  const map = await maps.readNow();
  if (map?.epoch !== epoch) throw outdated();
  const moved = moves.flatMap(({ slots, to }) => slots.map((range) => ({ ...range, shard: to })));
  check(map, moves, shards);
  const ranges = rangesAfter(map, moved);
  if (ranges.length > mostRanges) {
    throw refuse('moves', `The map would have ${ranges.length} ranges, and it holds ${mostRanges}.`);
  }
  const next: ShardMap = { ...map, epoch: epoch + 1, ranges, changedAt: now().toISOString(), reason };
  if (!(await maps.change(next))) throw outdated();
  const slots = moved.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return { mapEpoch: next.epoch, changedAt: next.changedAt, slots };
}

function check(map: ShardMap, moves: MapChange['moves'], shards: readonly string[]): void {
  const seen = new Set<number>();
  moves.forEach(({ slots, from, to }, index) => {
    const field = `moves.${index}`;
    if (!shards.includes(to))
      throw refuse(`${field}.to`, `There is no shard ${to}; there are: ${shards.join(', ')}.`);
    if (to === from) throw refuse(`${field}.to`, `They lie on ${from} already.`);
    for (const { first, last } of slots) {
      if (last >= map.slots) throw refuse(`${field}.slots`, `The last slot of the map is ${map.slots - 1}.`);
      for (let slot = first; slot <= last; slot += 1) {
        if (seen.has(slot)) throw refuse(`${field}.slots`, `The slot ${slot} is there twice.`);
        seen.add(slot);
        const lies = shardOfSlot(map, slot);
        if (lies !== from) throw refuse(`${field}.from`, `The slot ${slot} lies on ${lies}.`);
      }
    }
  });
}

const outdated = () =>
  new Problem('conflict', 'The map is not of that epoch: read it again, and see what is left to do.');

function refuse(field: string, message: string): Problem {
  return new Problem('unprocessable-request', message, { errors: [{ field: `body.${field}`, message }] });
}
