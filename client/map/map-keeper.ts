import { setTimeout as sleep } from 'node:timers/promises';
import { ShardError } from '../errors.ts';
import { Directory } from './directory.ts';
import type { FetchView } from './fetch-view.ts';
import type { Place, View } from './view.ts';

export interface KeeperParts {
  readonly fetchView: FetchView;
  readonly refreshMs: number;
  readonly maxMapAgeMs?: number | undefined;
  readonly now: () => number;
  /** Told of each shard that has got another epoch or other addresses. */
  readonly onMoved: (place: Place, before: Place) => void;
}

/** Refreshes that are asked for do not come closer than this, in milliseconds. */
const hastyMs = 250;
/** How often the first map is asked for before starting counts as failed. */
const firstAttempts = 5;

/** Keeps the shard map, and has it refreshed in the background: whoever asks it for the map does not wait. */
export class MapKeeper {
  readonly #parts: KeeperParts;
  readonly #closed = new AbortController();
  #directory: Directory | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Gets the first map. @throws ShardError `map-unavailable` */
  async start(): Promise<void> {
    for (let attempt = 1; this.#directory === undefined; attempt++) {
      await this.refresh();
      if (this.#directory !== undefined) break;
      if (attempt === firstAttempts || this.#closed.signal.aborted) {
        throw new ShardError('map-unavailable', 'The API gives no shard map.', { cause: this.#failure });
      }
      await sleep(hastyMs * attempt);
    }
    this.#schedule();
  }

  /** The map as it is known. @throws ShardError `map-unavailable`, `closed` */
  get directory(): Directory {
    const directory = this.#directory;
    if (this.#closed.signal.aborted) throw new ShardError('closed', 'The client has been closed.');
    const { maxMapAgeMs = Number.POSITIVE_INFINITY } = this.#parts;
    if (directory === undefined || this.ageMs > maxMapAgeMs) {
      const message = directory === undefined ? 'There is no shard map yet.' : 'The shard map is too old.';
      throw new ShardError('map-unavailable', message, { cause: this.#failure });
    }
    return directory;
  }

  /** How old the map is: since it was last given. */
  get ageMs(): number {
    return this.#parts.now() - this.#fetchedAt;
  }

  /**
   * Has the map refreshed: at once, or as soon as the last refresh is long enough ago. Resolves when that has been tried; it does
   * not throw.
   */
  refresh(): Promise<void> {
    this.#running ??= this.#refresh().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  stop(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  async #refresh(): Promise<void> {
    const { fetchView, now } = this.#parts;
    const { signal } = this.#closed;
    try {
      const wait = this.#askedAt + hastyMs - now();
      if (wait > 0) await sleep(wait, undefined, { signal });
      this.#askedAt = now();
      const view = await fetchView(signal);
      if (signal.aborted) return;
      this.#fetchedAt = now();
      this.#failure = undefined;
      this.#take(view);
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Takes what is newer of a view; another environment of the API's function may not know yet what this one knows. */
  #take(given: View): void {
    const before = this.#directory?.view;
    const known = new Map(before?.places.map((place) => [place.shard, place]));
    const places = given.places.map((place) => {
      const earlier = known.get(place.shard);
      return earlier !== undefined && earlier.shardEpoch > place.shardEpoch ? earlier : place;
    });
    const map = before !== undefined && before.map.epoch > given.map.epoch ? before.map : given.map;
    this.#directory = new Directory({ ...given, map, places });
    for (const place of places) {
      const earlier = known.get(place.shard);
      if (earlier !== undefined && !same(earlier, place)) this.#parts.onMoved(place, earlier);
    }
  }

  #schedule(): void {
    // Clients that were started together do not ask together for ever.
    const delay = this.#parts.refreshMs * (0.9 + Math.random() * 0.2);
    this.#timer = setTimeout(() => {
      void this.refresh().then(() => {
        if (!this.#closed.signal.aborted) this.#schedule();
      });
    }, delay);
    this.#timer.unref();
  }
}

function same(one: Place, other: Place): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
