import type { AnalyticsTable, Unit } from './analytics-table.ts';
import { contents, everybody, readIds } from './bundle.ts';
import type { BundleStore } from './bundle-store.ts';
import { inTurns } from './in-turns.ts';
import { day, intervalsBetween } from './intervals.ts';
import { type Range, unitsOf } from './range.ts';
import { Traffic } from './traffic.ts';

export interface ReaderDependencies {
  readonly table: AnalyticsTable;
  readonly bundles: BundleStore;
}

/** Traffic of a step of a range. */
export interface Step {
  readonly start: number;
  readonly traffic: Traffic;
}

export interface Found {
  readonly steps: readonly Step[];
  /** Whether logs wait that were not read: there were too many. They are counted with the next fold. */
  readonly logsLeft: boolean;
}

/** Logs that one question reads itself, beside what is folded. */
const mostLogs = 300;
/** Units that are read at the same time. */
const atOnce = 8;
/** How often a total is read again that is replaced while it is read. */
const attempts = 5;

/**
 * Reads the traffic of a range: a bounded number of items, whatever the traffic.
 *
 * @param tenant whose; without one, of all together.
 * @throws DependencyError
 */
export async function readTraffic(
  { table, bundles }: ReaderDependencies,
  range: Range,
  tenant: string | undefined,
  byHour: boolean,
): Promise<Found> {
  const part = tenant ?? everybody;
  const { at: resets } = await table.resets();
  const waiting = new Set((await table.marked('interval')).map(({ start }) => start));
  let room = mostLogs;
  let logsLeft = false;

  const readInterval = async (start: number): Promise<Traffic | undefined> => {
    // Those that wait first: what is folded meanwhile is in the total then, which says so.
    const asked = waiting.has(start) ? room : 0;
    const { logs, more } =
      asked > 0 ? await table.pending(start, asked) : { logs: [], more: waiting.has(start) };
    room -= Math.min(room, logs.length);
    logsLeft ||= more;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const total = await table.total({ kind: 'interval', start });
      const bytes = total === undefined ? 'none' : await bundles.part(total, part);
      const ids = total === undefined || logs.length === 0 ? 'none' : await bundles.part(total, contents);
      if (bytes === 'replaced' || ids === 'replaced') continue;
      const included = ids === 'none' ? new Set() : readIds(ids);
      const traffic = new Traffic();
      if (bytes !== 'none') traffic.merge(Traffic.fromBytes(bytes));
      for (const { id, bundle } of logs) {
        const own = included.has(id) ? 'none' : await bundles.part(bundle, part);
        // Folded since: it is counted with the next question.
        if (own === 'replaced') logsLeft = true;
        else if (own !== 'none') traffic.merge(Traffic.fromBytes(own));
      }
      return traffic;
    }
    throw new Error(`The total of an interval was replaced ${attempts} times while it was read.`);
  };
  const readDay = async (start: number): Promise<readonly (Traffic | undefined)[]> => {
    const total = await table.total({ kind: 'day', start });
    const bytes = total === undefined ? 'replaced' : await bundles.part(total, part);
    if (bytes === 'none') return [];
    if (bytes !== 'replaced') return [Traffic.fromBytes(bytes)];
    return inTurns(intervalsBetween(start, start + day, resets), atOnce, readInterval);
  };
  const read = async (unit: Unit) =>
    unit.kind === 'day' ? readDay(unit.start) : [await readInterval(unit.start)];

  const steps = await inTurns(unitsOf(range, resets, byHour), atOnce, async (units): Promise<Step> => {
    const traffic = new Traffic();
    for (const unit of units)
      for (const each of await read(unit)) if (each !== undefined) traffic.merge(each);
    return { start: units[0]?.start ?? range.from, traffic };
  });
  return { steps, logsLeft };
}
