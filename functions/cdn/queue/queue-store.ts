import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { DependencyError } from '../../shared/dependency.ts';
import type { VersionedItems } from '../versioned-items.ts';
import {
  type Asking,
  ask,
  type Capacity,
  type Entry,
  entrySchema,
  isOvertaken,
  leave,
  stepBack,
} from './queue.ts';

const itemSchema = z.object({ entries: z.array(entrySchema), version: z.number().int() });
const maximumRounds = 12;
const longestWaitMs = 200;

/** How long who waits, or has a place, is believed without being heard of, in milliseconds. */
export const keepMs = 300_000;

/** A queue before something that there is only so much of; one item, which every change replaces. */
export class QueueStore {
  readonly #items: VersionedItems;
  readonly #key: { pk: string; sk: string };
  readonly #capacity: Capacity;
  readonly #now: () => number;

  constructor(items: VersionedItems, name: string, capacity: Capacity, now: () => number) {
    this.#items = items;
    this.#key = { pk: `QUEUE#${name}`, sk: 'QUEUE' };
    this.#capacity = capacity;
    this.#now = now;
  }

  /**
   * Asks for a place, or to keep it.
   *
   * @param manners `give-way`: who has a place gives it back while somebody of greater priority waits, and waits itself.
   * @returns whether there is one. @throws DependencyError
   */
  async ask(asking: Asking, manners: 'keep' | 'give-way' = 'keep'): Promise<boolean> {
    return this.#change((entries) => {
      if (manners === 'give-way' && isOvertaken(entries, asking, this.#now())) {
        const back = stepBack(entries, asking.id);
        return { entries: ask(back, asking, this.#capacity, this.#now(), keepMs).entries, result: false };
      }
      const asked = ask(entries, asking, this.#capacity, this.#now(), keepMs);
      return { entries: asked.entries, result: asked.holds };
    });
  }

  /** Gives places back. @throws DependencyError */
  async leave(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#change((entries) => ({ entries: leave(entries, ids, this.#now()), result: undefined }));
  }

  async #read(): Promise<{ entries: readonly Entry[]; version: number }> {
    const item = await this.#items.get(this.#key);
    return item === undefined ? { entries: [], version: 0 } : itemSchema.parse(item);
  }

  async #change<T>(
    change: (entries: readonly Entry[]) => { entries: readonly Entry[]; result: T },
  ): Promise<T> {
    for (let round = 0; round < maximumRounds; round++) {
      if (round > 0) await delay(Math.random() * Math.min(longestWaitMs, 10 * 2 ** round));
      const { entries, version } = await this.#read();
      const changed = change(entries);
      if (await this.#items.put({ ...this.#key, entries: [...changed.entries] }, version))
        return changed.result;
    }
    throw new DependencyError(`The queue ${this.#key.pk} is changed by others all the time.`);
  }
}
