import type { Logger } from '@aws-lambda-powertools/logger';
import { type ChainState, hashOf } from './chain.ts';
import { dayAfter, dayOf } from './days.ts';
import type { Seal } from './model.ts';
import type { SealMac } from './seal-mac.ts';
import { type SealStore, sealContentOf } from './seals.ts';

export interface SealDependencies {
  readonly seals: SealStore;
  readonly mac: SealMac;
  readonly now: () => number;
  readonly retentionDays: number;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

/** A chain of a day that is over. */
export interface Chain {
  readonly day: string;
  readonly lane: number;
  readonly seal: Seal | undefined;
}

/** What is known of the chains that have come to their end. */
export class SealedChains {
  readonly #seals: Map<string, Seal>;
  readonly #latest = new Map<number, Seal>();

  constructor(seals: readonly Seal[]) {
    this.#seals = new Map(seals.map((seal) => [`${seal.day}#${seal.lane}`, seal]));
    for (const seal of seals) this.#latest.set(seal.lane, seal);
  }

  find(day: string, lane: number): Seal | undefined {
    return this.#seals.get(`${day}#${lane}`);
  }

  /** Of that lane, whatever the day. */
  latest(lane: number): Seal | undefined {
    return this.#latest.get(lane);
  }

  add(seal: Seal): void {
    this.#latest.set(seal.lane, seal);
  }
}

export interface Sealing {
  readonly sealed: number;
  /** Something that is no seal is in the place of theirs. */
  readonly unsealable: readonly Chain[];
}

/** Seals, from the day after the last seal of each lane on, what has been read; before the first seal, empty days need none. */
export async function sealChains(
  { seals, mac, now, retentionDays, log }: SealDependencies,
  known: SealedChains,
  states: ReadonlyMap<Chain, ChainState>,
): Promise<Sealing> {
  let sealed = 0;
  const unsealable: Chain[] = [];
  const open = [...states].filter(([{ seal }]) => seal === undefined);
  const yesterday = dayAfter(dayOf(now()), -1);
  for (const [chain, { entries, head, findingCount }] of open) {
    const { day, lane } = chain;
    const last = known.latest(lane);
    if (last === undefined ? entries === 0 && day < yesterday : day <= last.day) continue;
    const content = {
      day,
      lane,
      entries,
      head,
      findings: findingCount,
      previous: last === undefined ? null : hashOf(sealContentOf(last)),
    };
    const seal = { ...content, sealedAt: new Date(now()).toISOString(), mac: await mac.make(content) };
    if (await seals.add(seal, retentionDays)) {
      known.add(seal);
      log.info('A chain of the audit trail was sealed', { seal });
      sealed++;
    } else {
      // Another run may have been faster.
      const others = (await seals.since(day)).find((other) => other.day === day && other.lane === lane);
      if (others === undefined) unsealable.push(chain);
      else known.add(others);
    }
  }
  return { sealed, unsealable };
}
