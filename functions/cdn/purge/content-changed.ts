import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import { type PurgeId, purgeIdSchema } from '../ids.ts';
import type { EdgeProvider } from '../providers/provider.ts';
import type { StartExecution } from '../start-execution.ts';
import { pathsOfKey, windowMs, windowOf } from './collect.ts';
import type { PurgeRecord } from './record.ts';
import type { PurgeStore } from './store.ts';

export interface ContentChangedDependencies {
  readonly store: Pick<PurgeStore, 'noteChanges' | 'create'>;
  readonly provider: EdgeProvider | undefined;
  readonly startPurge: StartExecution;
  readonly now: () => number;
}

/**
 * Notes what is served from an object that has changed, and has it purged with all else that changes in the same half minute. Twice is
 * the same as once.
 *
 * @throws DependencyError: nothing is lost when it is run again.
 */
export async function contentChanged(
  { store, provider, startPurge, now }: ContentChangedDependencies,
  key: string,
  traceparent: string,
): Promise<{ paths: number; purgeId: PurgeId | null }> {
  const paths = pathsOfKey(key);
  if (provider === undefined || paths.length === 0) return { paths: 0, purgeId: null };
  const window = windowOf(now());
  await store.noteChanges(window, paths);
  const id = idOfWindow(window);
  await store.create(await collecting(provider, id, window, traceparent, now()), undefined);
  await startPurge(id, { traceparent });
  return { paths: paths.length, purgeId: id };
}

async function collecting(
  provider: EdgeProvider,
  id: PurgeId,
  window: number,
  traceparent: string,
  now: number,
): Promise<PurgeRecord> {
  return {
    ...{ id, version: 0, state: 'queued', stage: 'collecting', trigger: 'content', window, traceparent },
    provider: provider.kind,
    target: await provider.target({}),
    counts: { paths: 0, prefixes: 0, tags: 0, everything: false },
    ...{ soft: false, calls: 0, submitted: 0, open: [], rewarm: false },
    createdAt: new Date(now).toISOString(),
  };
}

/** The purge of a window: whoever comes to it makes the same. */
export function idOfWindow(window: number): PurgeId {
  const digest = createHash('sha256').update(`content ${window}`).digest().values();
  return purgeIdSchema.parse(ulid(window * windowMs, () => ((digest.next().value ?? 0) & 31) / 32));
}
