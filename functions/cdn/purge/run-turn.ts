import type { PurgeId } from '../ids.ts';
import { advance } from './advance.ts';
import type { PurgeDependencies } from './dependencies.ts';
import { end } from './ending.ts';
import { hasEnded, type PurgeRecord } from './record.ts';
import { type PurgeTeller, tellPurge } from './tell.ts';

/** What an invocation has come to. */
export interface Turn {
  readonly outcome: 'again' | 'ended';
  readonly waitSeconds: number;
  /** The purge, where this turn has ended it. */
  readonly ended?: PurgeRecord;
}

/** Takes a purge as far as it goes, and tells how it has ended. @throws DependencyError */
export async function runTurn(deps: PurgeDependencies, teller: PurgeTeller, id: PurgeId): Promise<Turn> {
  const known = await deps.store.get(id);
  // It is written before its workflow is started; 90 days later it is gone.
  if (known === undefined) return { outcome: 'ended', waitSeconds: 0 };
  const { record, waitSeconds } = await advance(deps, known);
  if (!hasEnded(record)) return { outcome: 'again', waitSeconds: waitSeconds ?? 1 };
  await tellPurge(teller, record);
  return { outcome: 'ended', waitSeconds: 0, ...(!hasEnded(known) && { ended: record }) };
}

/** Ends a purge whose execution did not end by itself. @returns it, where there was one to end. @throws DependencyError */
export async function endInterrupted(
  deps: Pick<PurgeDependencies, 'store' | 'queueOf' | 'provider' | 'now'>,
  teller: PurgeTeller,
  id: PurgeId,
  status: string,
): Promise<PurgeRecord | undefined> {
  for (let round = 0; round < 5; round++) {
    const record = await deps.store.get(id);
    if (record === undefined || hasEnded(record)) return undefined;
    const error = { code: 'interrupted', message: `Its execution ended as ${status}.` };
    const ended = await deps.store.save(await end(deps, record, 'failed', error));
    if (ended === undefined) continue;
    await tellPurge(teller, ended);
    return ended;
  }
  return undefined;
}
