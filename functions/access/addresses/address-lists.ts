import type { AccessPolicy } from '../policy.ts';
import { canonicalNetwork, matcherOf, type Network } from './address.ts';
import type { Entry } from './address-list-store.ts';

/** How long a list that was read is used without reading it again. */
export const listsMs = 30_000;
/** How long to wait before reading again after the store did not answer. */
const retryMs = 5_000;

/** Whether an address may call the API, by lists that do not change. */
export type Verdict = (sourceIp: string) => 'allowed' | 'denied' | 'not-allowed';

/** A policy's list, in canonical form. */
export function networksOf(policy: AccessPolicy, list: 'allow' | 'deny'): Network[] {
  return policy[list].flatMap((text) => canonicalNetwork(text) ?? []);
}

/** Decides by two lists: whoever is on the deny list is refused, and where the allow list is not empty, whoever is not on it. */
export function verdictOf(policy: AccessPolicy, entries: readonly Entry[]): Verdict {
  const both = (list: 'allow' | 'deny') => [
    ...networksOf(policy, list),
    ...entries.filter((entry) => entry.list === list).map(({ network }) => network),
  ];
  const allow = both('allow');
  const isDenied = matcherOf(both('deny'));
  const isAllowed = matcherOf(allow);
  return (sourceIp) => {
    if (isDenied(sourceIp)) return 'denied';
    return allow.length === 0 || isAllowed(sourceIp) ? 'allowed' : 'not-allowed';
  };
}

/**
 * The lists of the policy and of the table. Those of the table are read at most every 30 s; the ones read before hold
 * meanwhile, and for as long as the store is down. Until they have been read once, those of the policy hold alone.
 */
export class AddressLists {
  readonly #policy: AccessPolicy;
  readonly #read: () => Promise<Entry[]>;
  readonly #now: () => number;
  #verdict: Verdict;
  #freshUntil = 0;
  #reading: Promise<void> | undefined;
  #readOnce = false;

  constructor(policy: AccessPolicy, read: () => Promise<Entry[]>, now: () => number) {
    this.#policy = policy;
    this.#read = read;
    this.#now = now;
    this.#verdict = verdictOf(policy, []);
  }

  /** Whether an address may call the API. */
  async check(sourceIp: string): Promise<ReturnType<Verdict>> {
    if (this.#now() >= this.#freshUntil) {
      const first = this.#reading === undefined;
      this.#reading ??= this.#refresh();
      // Whoever starts the reading waits for it; others do only while there is nothing to go by.
      if (first || !this.#readOnce) await this.#reading;
    }
    return this.#verdict(sourceIp);
  }

  async #refresh(): Promise<void> {
    try {
      const entries = await this.#read();
      this.#verdict = verdictOf(this.#policy, entries);
      this.#readOnce = true;
      this.#freshUntil = this.#now() + listsMs;
    } catch {
      this.#freshUntil = this.#now() + retryMs;
    } finally {
      this.#reading = undefined;
    }
  }
}
