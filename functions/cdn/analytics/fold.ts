import { newId } from '../../shared/ids.ts';
import type { AnalyticsTable, PendingLog, Total, Unit } from './analytics-table.ts';
import { bundleOf, contents, readIds, writeIds } from './bundle.ts';
import type { BundleStore } from './bundle-store.ts';
import { day, dayOf, hour, instant, intervalsBetween } from './intervals.ts';
import { dayExpiry, intervalExpiry, type Retention } from './retention.ts';
import { Traffic } from './traffic.ts';

export interface FoldDependencies {
  readonly table: AnalyticsTable;
  readonly bundles: BundleStore;
  readonly retention: Retention;
  readonly now: () => Date;
  /** Whether there is time for more. */
  readonly hasTime: () => boolean;
}

/** What was folded, and whether something is left for the next time. */
export interface Folded {
  logs: number;
  intervals: number;
  days: number;
  left: boolean;
}

/** Logs that are folded by one write. */
const logsPerWrite = 200;
/** A day is put together when it is over, and late logs have mostly come. */
const settledAfter = 2 * hour;

/**
 * Folds the logs that wait into the totals of their intervals, and intervals into days. A total says which logs are in it, and one
 * write makes it hold: a fold that was cut short anywhere, or done by two at once, or a log that comes again, changes nothing.
 *
 * @throws DependencyError
 */
export async function fold(deps: FoldDependencies): Promise<Folded> {
  const { table, retention, now, hasTime } = deps;
  const folded: Folded = { logs: 0, intervals: 0, days: 0, left: false };
  for (const { start, mark } of await table.marked('interval')) {
    if (!hasTime()) return { ...folded, left: true };
    const { logs, left } = await foldInterval(deps, start);
    folded.logs += logs;
    if (left) {
      // Somebody else is at it, or time is up. The mark stays for the next time.
      folded.left = true;
      continue;
    }
    await table.mark({ kind: 'day', start: dayOf(start) }, newId(now()), dayExpiry(retention, start));
    await table.unmark({ kind: 'interval', start }, mark);
    folded.intervals += 1;
  }
  for (const { start, mark } of await table.marked('day')) {
    if (start + day + settledAfter > now().getTime() / 1000) continue;
    if (!hasTime()) return { ...folded, left: true };
    if (!(await foldDay(deps, start))) continue;
    await table.unmark({ kind: 'day', start }, mark);
    folded.days += 1;
  }
  return folded;
}

async function foldInterval(deps: FoldDependencies, start: number): Promise<{ logs: number; left: boolean }> {
  let folded = 0;
  while (deps.hasTime()) {
    const { logs, more } = await deps.table.pending(start, logsPerWrite);
    if (!(await foldLogs(deps, start, logs))) break;
    folded += logs.length;
    if (!more) return { logs: folded, left: false };
  }
  return { logs: folded, left: true };
}

/** Returns false when somebody else has written the total meanwhile. */
async function foldLogs(
  deps: FoldDependencies,
  start: number,
  logs: readonly PendingLog[],
): Promise<boolean> {
  const { table, bundles, retention } = deps;
  const unit: Unit = { kind: 'interval', start };
  const total = await table.total(unit);
  const parts = total === undefined ? new Map<string, Uint8Array>() : await bundles.parts(total);
  if (parts === 'replaced') return false;
  const included = readIds(parts.get(contents) ?? new Uint8Array());
  const fresh = logs.filter(({ id }) => !included.has(id));
  if (fresh.length > 0) {
    const byTenant = trafficOf(parts);
    for (const { id, bundle } of fresh) {
      const added = await bundles.parts(bundle);
      if (added === 'replaced') return false;
      mergeInto(byTenant, trafficOf(added));
      included.add(id);
    }
    const written = partsOf(byTenant);
    written.set(contents, writeIds(included));
    if (!(await putTotal(deps, unit, total, written, intervalExpiry(retention, start)))) return false;
  }
  for (const { id, bundle } of logs) {
    await table.removeLog(start, id);
    if (bundle.objectKey !== undefined) await bundles.remove(bundle.objectKey);
  }
  return true;
}

/** Puts a day together of its intervals, anew each time. Returns false when somebody else has done so meanwhile. */
async function foldDay(deps: FoldDependencies, start: number): Promise<boolean> {
  const { table, bundles, retention } = deps;
  const { at: resets } = await table.resets();
  const before = await table.total({ kind: 'day', start });
  const byTenant = new Map<string, Traffic>();
  for (const interval of intervalsBetween(start, start + day, resets)) {
    const total = await table.total({ kind: 'interval', start: interval });
    if (total === undefined) continue;
    const parts = await bundles.parts(total);
    if (parts === 'replaced') return false;
    mergeInto(byTenant, trafficOf(parts));
  }
  return putTotal(deps, { kind: 'day', start }, before, partsOf(byTenant), dayExpiry(retention, start));
}

async function putTotal(
  { table, bundles, now }: FoldDependencies,
  unit: Unit,
  before: Total | undefined,
  parts: ReadonlyMap<string, Uint8Array>,
  expiresAt: number,
): Promise<boolean> {
  const generation = (before?.generation ?? 0) + 1;
  // A key of its own for each attempt: one that loses must not have overwritten what the other refers to.
  const key = `totals/${unit.kind}/${instant(unit.start)}/${generation}-${newId(now())}`;
  const stored = await bundles.put(key, bundleOf(parts));
  const held = await table.putTotal(unit, {
    ...{ generation, expiresAt, ...stored },
    ...(before?.objectKey !== undefined && { oldKey: before.objectKey }),
  });
  if (!held && stored.objectKey !== undefined) await bundles.remove(stored.objectKey);
  // Readers may be at the one before this, and hardly at the one before that.
  if (held && before?.oldKey !== undefined) await bundles.remove(before.oldKey);
  return held;
}

/** Traffic by tenant; that of all together under its own name. */
function trafficOf(parts: ReadonlyMap<string, Uint8Array>): Map<string, Traffic> {
  return new Map(
    [...parts].filter(([name]) => name !== contents).map(([name, bytes]) => [name, Traffic.fromBytes(bytes)]),
  );
}

function mergeInto(byTenant: Map<string, Traffic>, added: ReadonlyMap<string, Traffic>): void {
  for (const [name, traffic] of added) {
    const found = byTenant.get(name);
    if (found === undefined) byTenant.set(name, traffic);
    else found.merge(traffic);
  }
}

function partsOf(byTenant: ReadonlyMap<string, Traffic>): Map<string, Uint8Array> {
  const parts = new Map<string, Uint8Array>();
  for (const name of [...byTenant.keys()].sort()) {
    const traffic = byTenant.get(name);
    if (traffic !== undefined) parts.set(name, traffic.toBytes());
  }
  return parts;
}
