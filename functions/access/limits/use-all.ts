import { CountersUnavailable } from './counter-store.ts';
import type { Standing } from './headers.ts';
import type { Leases } from './leases.ts';
import type { Limit } from './quota.ts';

/** One unit that a request needs. */
export interface Use {
  readonly limit: Limit;
  readonly subject: string;
}

export interface Outcome {
  /** Where the caller stands under each limit, when the request goes on. */
  readonly standings: readonly Standing[];
  /** The limits that have no unit for it; `resetMs` is how long to wait. */
  readonly usedUp: readonly (Standing & Use)[];
}

/**
 * Takes a unit for each use, or none: what was taken is put back when one of them is refused.
 *
 * @param lenient whether the request goes on while the store is down, within the size of the last leases.
 * @throws CountersUnavailable
 */
export async function useAll(leases: Leases, uses: readonly Use[], lenient: boolean): Promise<Outcome> {
  const asked = await Promise.all(
    uses.map(async (use) => ({
      ...use,
      decision: await leases.use(use.limit, use.subject, lenient).catch(unavailable),
    })),
  );
  const standings: Standing[] = [];
  const usedUp: (Standing & Use)[] = [];
  let failure: CountersUnavailable | undefined;
  for (const { limit, subject, decision } of asked) {
    if (decision instanceof CountersUnavailable) failure = decision;
    else if (decision.admitted) standings.push({ limit, left: decision.left, resetMs: decision.resetMs });
    else usedUp.push({ limit, subject, left: 0, resetMs: decision.waitMs });
  }
  if (standings.length === uses.length) return { standings, usedUp };
  for (const { decision } of asked) {
    if (!(decision instanceof CountersUnavailable) && decision.admitted) decision.undo();
  }
  if (usedUp.length === 0 && failure !== undefined) throw failure;
  return { standings: [], usedUp };
}

function unavailable(error: unknown): CountersUnavailable {
  if (error instanceof CountersUnavailable) return error;
  throw error;
}
