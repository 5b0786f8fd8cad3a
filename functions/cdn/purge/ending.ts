import type { PurgeDependencies } from './dependencies.ts';
import type { PurgeRecord } from './record.ts';

/** Ends a purge, and gives back what it holds of the quota. */
export async function end(
  deps: Pick<PurgeDependencies, 'queueOf' | 'provider' | 'now'>,
  record: PurgeRecord,
  state: 'completed' | 'failed' | 'canceled',
  error?: { readonly code: string; readonly message: string },
): Promise<PurgeRecord> {
  const { inProgress } = deps.provider.limits;
  if (inProgress !== undefined) {
    const places = Array.from({ length: record.calls }, (_, call) => placeOf(record, call));
    await deps.queueOf(record.target.id, { ...inProgress }).leave(places);
  }
  return {
    ...record,
    state,
    stage: 'ended',
    finishedAt: new Date(deps.now()).toISOString(),
    untold: true,
    ...(error !== undefined && { error: { code: error.code, message: error.message.slice(0, 500) } }),
  };
}

/** The place of a call in the queue: purges in the order in which they came, and their calls in theirs. */
export const placeOf = ({ id }: Pick<PurgeRecord, 'id'>, call: number): string =>
  `${id}/${String(call).padStart(4, '0')}`;
