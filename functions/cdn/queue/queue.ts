import * as z from 'zod';

const needsSchema = z.record(z.string(), z.number().int().min(0));

/** Somebody who waits for a place, or has one. Ids sort by the time at which they came. */
export const entrySchema = z.object({
  id: z.string(),
  /** Greater ones go first. */
  priority: z.number().int(),
  needs: needsSchema,
  holds: z.boolean(),
  /** Milliseconds since the epoch; who has not been heard of until then is gone. */
  until: z.number(),
});
export type Entry = z.output<typeof entrySchema>;

/** How much there is of each thing that is needed; of what it does not name, as much as one likes. */
export type Capacity = Readonly<Record<string, number>>;

export interface Asking {
  readonly id: string;
  readonly priority: number;
  readonly needs: Readonly<Record<string, number>>;
}

/** More than wait at the same time; who finds it full asks again. */
const longest = 1_000;

/**
 * Asks for a place: once more by who waits, or by who has one and wants to keep it.
 *
 * Whoever comes first, of the same priority, has it first: a small one does not overtake a large one, which would never fit
 * otherwise. What is more than there is altogether gets its place when nobody else has one.
 */
export function ask(
  before: readonly Entry[],
  { id, priority, needs }: Asking,
  capacity: Capacity,
  now: number,
  keepMs: number,
): { readonly entries: readonly Entry[]; readonly holds: boolean } {
  const others = before.filter((entry) => entry.until > now && entry.id !== id);
  const own = before.find((entry) => entry.id === id && entry.until > now);
  const until = now + keepMs;
  const entered = (holds: boolean) => ({
    entries: [...others, { id, priority, needs: { ...needs }, holds, until }],
    holds,
  });
  if (own?.holds === true) return { entries: [...others, { ...own, until }], holds: true };
  if (own === undefined && others.length >= longest) return { entries: others, holds: false };

  const used = new Map<string, number>();
  const use = (what: Readonly<Record<string, number>>) => {
    for (const [name, amount] of Object.entries(what)) used.set(name, (used.get(name) ?? 0) + amount);
  };
  for (const entry of others) if (entry.holds) use(entry.needs);
  const fits = (what: Readonly<Record<string, number>>) =>
    Object.entries(what).every(([name, amount]) => {
      const taken = used.get(name) ?? 0;
      return amount === 0 || taken === 0 || taken + amount <= (capacity[name] ?? Number.POSITIVE_INFINITY);
    });
  const self = { id, priority, needs };
  for (const entry of others.filter((other) => !other.holds && goesBefore(other, self))) {
    if (!fits(entry.needs)) return entered(false);
    use(entry.needs);
  }
  return entered(fits(needs));
}

/** Gives a place back, or waits no longer. */
export function leave(before: readonly Entry[], ids: readonly string[], now: number): readonly Entry[] {
  return before.filter((entry) => entry.until > now && !ids.includes(entry.id));
}

/** Gives a place back, and waits for it again, where it stood before. */
export function stepBack(before: readonly Entry[], id: string): readonly Entry[] {
  return before.map((entry) => (entry.id === id ? { ...entry, holds: false } : entry));
}

/** Whether somebody waits who goes before this one, whatever it has. */
export function isOvertaken(entries: readonly Entry[], { id, priority }: Asking, now: number): boolean {
  return entries.some(
    (entry) => entry.until > now && !entry.holds && entry.id !== id && entry.priority > priority,
  );
}

const goesBefore = (one: Pick<Entry, 'id' | 'priority'>, other: Pick<Entry, 'id' | 'priority'>): boolean =>
  one.priority !== other.priority ? one.priority > other.priority : one.id < other.id;
