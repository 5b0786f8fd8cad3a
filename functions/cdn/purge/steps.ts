import { needsOf, planCalls } from '../providers/plan-calls.ts';
import { collectedAt, itemsOfChanges } from './collect.ts';
import type { PurgeDependencies, Stepped } from './dependencies.ts';
import { end, placeOf } from './ending.ts';
import { mostChecks } from './model.ts';
import { askAfter, askBefore, verdict } from './prove.ts';
import type { PurgeRecord } from './record.ts';

/** How long content may still be found at an edge after the provider has said that it is gone, in milliseconds. */
const disbeliefMs = 180_000;
const unbelievedWaitSeconds = 5;
const warmingWaitSeconds = 5;
const endedStates: readonly (string | undefined)[] = ['completed', 'failed', 'canceled', undefined];

/** Does the next thing that is to be done for a purge. */
export async function step(deps: PurgeDependencies, record: PurgeRecord): Promise<Stepped> {
  if (record.cancelRequested === true && record.submitted < Math.max(1, record.calls)) {
    return { record: await end(deps, record, 'canceled') };
  }
  switch (record.stage) {
    case 'collecting':
      return collect(deps, record);
    case 'checking': {
      const checks = await Promise.all(
        (record.checks ?? []).map((check) => askBefore(deps.ask, record.target.domain, check)),
      );
      return { record: { ...record, state: 'running', checks, stage: 'submitting' } };
    }
    case 'submitting':
      return submit(deps, record);
    case 'following':
      return follow(deps, record);
    case 'verifying':
      return verify(deps, record);
    case 'rewarming':
      return rewarm(deps, record);
    case 'ended':
      return { record };
  }
}

async function collect(deps: PurgeDependencies, record: PurgeRecord): Promise<Stepped> {
  const { window = 0 } = record;
  const waitMs = collectedAt(window) - deps.now();
  if (waitMs > 0) return { record, waitSeconds: Math.ceil(waitMs / 1000) };
  const { paths, more } = await deps.store.changes(window);
  const items = itemsOfChanges(paths, more, deps.provider.abilities);
  await deps.store.setItems(record.id, items);
  const calls = planCalls(items, deps.provider.limits).length;
  if (calls === 0) return { record: await end(deps, record, 'completed') };
  const { everything } = items;
  const counts = { paths: items.paths.length, prefixes: items.prefixes.length, tags: 0, everything };
  return { record: { ...record, counts, calls, stage: 'submitting' } };
}

async function submit(deps: PurgeDependencies, record: PurgeRecord): Promise<Stepped> {
  const { provider, now } = deps;
  const { id, target, soft, submitted } = record;
  const call = planCalls(await deps.store.items(id), provider.limits)[submitted];
  if (call === undefined) return { record: { ...record, stage: 'following' } };
  const { inProgress } = provider.limits;
  const place = placeOf(record, submitted);
  const queue = inProgress && deps.queueOf(target.id, { ...inProgress });
  if (queue !== undefined && !(await queue.ask({ id: place, priority: 0, needs: needsOf(call) }))) {
    // What is in the way may be its own.
    const looked = await look(deps, record);
    return {
      record: looked,
      waitSeconds: looked.open.length < record.open.length ? 1 : patience(record, now()),
    };
  }
  const made = await provider.submit(target, call, soft, place.replace('/', '-'));
  if (made.completed) await queue?.leave([place]);
  return {
    record: {
      ...record,
      state: 'running',
      submitted: submitted + 1,
      submittedAt: record.submittedAt ?? new Date(now()).toISOString(),
      open: made.completed ? record.open : [...record.open, { call: submitted, id: made.id }],
    },
  };
}

async function follow(deps: PurgeDependencies, record: PurgeRecord): Promise<Stepped> {
  const looked = await look(deps, record);
  if (looked.open.length > 0) return { record: looked, waitSeconds: patience(record, deps.now()) };
  const purged = { ...looked, purgedAt: new Date(deps.now()).toISOString() };
  return nextAfter(deps, purged, record.checks === undefined ? 'verified' : 'purged');
}

async function verify(deps: PurgeDependencies, record: PurgeRecord): Promise<Stepped> {
  const from = Date.parse(record.submittedAt ?? record.createdAt);
  const checks = await Promise.all(
    (record.checks ?? [])
      .slice(0, mostChecks)
      .map((check) =>
        check.outcome === null || check.outcome === 'still-cached'
          ? askAfter(deps.ask, record.target.domain, check, from, deps.now)
          : check,
      ),
  );
  const at = new Date(deps.now()).toISOString();
  const checked: PurgeRecord = { ...record, checks };
  if (verdict(checks) !== 'refuted') {
    const { troubleSince: _, ...proved } = checked;
    return nextAfter(deps, { ...proved, verifiedAt: at }, 'verified');
  }
  const troubleSince = record.troubleSince ?? at;
  if (deps.now() - Date.parse(troubleSince) < disbeliefMs) {
    return { record: { ...checked, troubleSince }, waitSeconds: unbelievedWaitSeconds };
  }
  const message =
    'The provider says that it is purged, and an edge location still serves what it had before.';
  return { record: await end(deps, checked, 'failed', { code: 'still-cached', message }) };
}

async function rewarm(deps: PurgeDependencies, record: PurgeRecord): Promise<Stepped> {
  const { warmingId } = record;
  if (warmingId === undefined) {
    const paths = await deps.store.rewarmPaths(record.id);
    return { record: { ...record, warmingId: await deps.startWarming(record, paths) } };
  }
  const state = await deps.warmingState(warmingId);
  if (!endedStates.includes(state)) return { record, waitSeconds: warmingWaitSeconds };
  if (state === 'completed') return { record: await end(deps, record, 'completed') };
  const message = `It is purged, and the warming after it was ${state ?? 'lost'}.`;
  return { record: await end(deps, record, 'failed', { code: 'rewarm-failed', message }) };
}

async function nextAfter(
  deps: PurgeDependencies,
  record: PurgeRecord,
  done: 'purged' | 'verified',
): Promise<Stepped> {
  if (done === 'purged') return { record: { ...record, stage: 'verifying' } };
  if (record.rewarm) return { record: { ...record, stage: 'rewarming' } };
  return { record: await end(deps, record, 'completed') };
}

/** Asks how the calls stand that are in progress; those that are through give their places back. */
async function look(deps: PurgeDependencies, record: PurgeRecord): Promise<PurgeRecord> {
  const { provider, queueOf } = deps;
  const { target, open } = record;
  const { inProgress } = provider.limits;
  const queue = inProgress && queueOf(target.id, { ...inProgress });
  const done: number[] = [];
  for (const { call, id } of open) {
    if (await provider.isCompleted(target, id)) done.push(call);
    else await queue?.ask({ id: placeOf(record, call), priority: 0, needs: {} });
  }
  await queue?.leave(done.map((call) => placeOf(record, call)));
  return done.length === 0 ? record : { ...record, open: open.filter(({ call }) => !done.includes(call)) };
}

/** Longer the longer it takes: from two seconds to twenty. */
function patience({ submittedAt, createdAt }: PurgeRecord, now: number): number {
  const elapsed = (now - Date.parse(submittedAt ?? createdAt)) / 1000;
  return Math.min(20, Math.max(2, Math.ceil(elapsed / 4)));
}
