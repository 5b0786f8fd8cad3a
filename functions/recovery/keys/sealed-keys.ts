import { EscrowError } from '../errors.ts';
import type { EscrowKey, EscrowKeys, EscrowRecord } from './escrow-model.ts';
import type { EscrowStore } from './escrow-store.ts';
import type { EscrowSeal } from './seal.ts';

/** For how long the present wrapping key is used before it is looked whether there is a newer one, in milliseconds. */
const currentMs = 15 * 60_000;
/** Wrapping keys that are remembered; more than ever were in use at once. */
const remembered = 20;

/**
 * Wrapping keys as they are kept in the store, opened once and remembered: no object costs a call. Whether the passphrase has
 * changed is looked for every quarter of an hour; while there is none, with every message. A failed look is not remembered.
 */
export class SealedKeys implements EscrowKeys {
  readonly #store: EscrowStore;
  readonly #seal: EscrowSeal;
  readonly #now: () => number;
  #current: Promise<EscrowKey | undefined> | undefined;
  #lookedAt = 0;
  readonly #known = new Map<string, Promise<EscrowKey>>();

  constructor(store: EscrowStore, seal: EscrowSeal, now: () => number = Date.now) {
    this.#store = store;
    this.#seal = seal;
    this.#now = now;
  }

  async current(): Promise<EscrowKey | undefined> {
    if (this.#current === undefined || this.#now() - this.#lookedAt >= currentMs) {
      this.#lookedAt = this.#now();
      this.#current = this.#look();
    }
    const looking = this.#current;
    try {
      const key = await looking;
      if (key === undefined) this.#current = undefined;
      return key;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  key(fingerprint: string): Promise<EscrowKey> {
    const known = this.#known.get(fingerprint);
    if (known !== undefined) return known;
    const opening = this.#store.get(fingerprint).then((record) => {
      if (record === undefined) {
        throw new EscrowError(`There is no record of the wrapping key ${fingerprint}.`);
      }
      return this.#open(record);
    });
    if (this.#known.size >= remembered) this.#known.clear();
    this.#known.set(fingerprint, opening);
    opening.catch(() => this.#known.delete(fingerprint));
    return opening;
  }

  async #look(): Promise<EscrowKey | undefined> {
    const record = await this.#store.current();
    return record && this.#open(record);
  }

  #open(record: EscrowRecord): Promise<EscrowKey> {
    return this.#seal.open(record);
  }
}
