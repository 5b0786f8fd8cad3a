import type { RecoveryTable } from '../catalog/recovery-table.ts';
import { DrillConflictError } from '../errors.ts';
import type { DrillCatalog } from './drill-catalog.ts';
import { type DrillId, drillIdSchema } from './ids.ts';

const key = { pk: 'DRILL_LOCK', sk: 'META' };
/** How long a drill may be on its way from the lock to its record and its execution, in milliseconds. */
const startMs = 15 * 60_000;
/** Others may take it in between; each try finds another holder. */
const tries = 5;

/**
 * Has one drill run at a time. Nobody gives the lock back: it is free when its drill has ended, as every drill does, be it
 * by the rule on executions that ended badly, or because it was never started.
 */
export class DrillLock {
  readonly #table: RecoveryTable;
  readonly #drills: Pick<DrillCatalog, 'get'>;

  constructor(table: RecoveryTable, drills: Pick<DrillCatalog, 'get'>) {
    this.#table = table;
    this.#drills = drills;
  }

  /**
   * Takes the lock for a drill; doing it again changes nothing.
   *
   * @param now milliseconds since the epoch.
   * @throws DrillConflictError naming the drill that is at work.
   */
  async acquire(id: DrillId, now: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const item = await this.#table.get(key);
      const holder = drillIdSchema.safeParse(item?.drillId).data;
      if (holder === id) return;
      const at = typeof item?.at === 'number' ? item.at : 0;
      if (holder !== undefined && (attempt === tries || (await this.#isAtWork(holder, at, now)))) {
        throw new DrillConflictError(holder);
      }
      const free =
        holder === undefined
          ? { expression: 'attribute_not_exists(pk)' }
          : { expression: '#drillId = :holder', values: { ':holder': holder } };
      if (await this.#table.put({ ...key, drillId: id, at: now }, free)) return;
    }
  }

  async #isAtWork(id: DrillId, since: number, now: number): Promise<boolean> {
    const { state, executionArn } = (await this.#drills.get(id)) ?? {};
    if (state === 'running' || (state === 'queued' && executionArn !== undefined)) return true;
    return (state === undefined || state === 'queued') && now - since < startMs;
  }
}
