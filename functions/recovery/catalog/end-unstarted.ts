import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { type Clock, isoTime } from '../clock.ts';
import { workStateSchema } from '../model.ts';
import { operationList } from './operation-catalog.ts';
import type { RecoveryTable } from './recovery-table.ts';

/** How long work may be on its way from its entry to its execution, in milliseconds. */
const startMs = 15 * 60_000;
/** So many of the newest entries of each list are looked at. */
const lookedAt = 200;

/** The lists of work that requests start, and what the end of an entry sets besides. */
const lists = [
  { name: 'BACKUPS', ended: {} },
  { name: 'RESTORES', ended: {} },
  { name: operationList, ended: {} },
  { name: 'DRILLS', ended: { stage: 'done' } },
] as const;

const entrySchema = z.object({
  pk: z.string(),
  sk: z.string(),
  id: z.string(),
  state: z.string(),
  executionArn: z.string().optional(),
  createdAt: z.iso.datetime(),
  cancelRequested: z.boolean().default(false),
  type: z.string().optional(),
  drill: z.boolean().optional(),
});
type Entry = z.output<typeof entrySchema>;

export interface EndUnstartedDependencies {
  readonly table: RecoveryTable;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Ends backups, restores, verifications, single stages and drills that no execution works on since the request for them
 * was cut short, and was not repeated: they have failed, with the code `NotStarted`; one that was to be canceled is
 * canceled. Should an execution come to it nevertheless, that ends by itself.
 *
 * @returns the ids of those that were ended now.
 * @throws DependencyError
 */
export async function endUnstarted({ table, clock, log }: EndUnstartedDependencies): Promise<string[]> {
  const now = clock.now();
  const ids: string[] = [];
  for (const { name, ended } of lists) {
    const newest = await table.newest(name, lookedAt, undefined, () => true);
    for (const entry of newest.map((item) => entrySchema.parse(item))) {
      if (!isUnstarted(entry, now) || !(await end(table, entry, ended, now))) continue;
      log.warn('Work was asked for and never started', { id: entry.id, list: name });
      ids.push(entry.id);
    }
  }
  return ids;
}

/** An import waits for its upload, the restore of a drill for the drill: each has an end of its own. */
const isUnstarted = ({ state, executionArn, createdAt, type, drill }: Entry, now: number): boolean =>
  state === workStateSchema.enum.queued &&
  executionArn === undefined &&
  type !== 'import' &&
  drill !== true &&
  Date.parse(createdAt) < now - startMs;

function end(
  table: RecoveryTable,
  { pk, sk, cancelRequested }: Entry,
  ended: Readonly<Record<string, unknown>>,
  now: number,
): Promise<boolean> {
  const outcome = cancelRequested
    ? { state: 'canceled' }
    : {
        state: 'failed',
        error: {
          code: 'NotStarted',
          message: 'The request for it was cut short before it was started. Send the request again.',
        },
      };
  return table.set(
    { pk, sk },
    { ...ended, ...outcome, finishedAt: isoTime(now) },
    {
      expression:
        '#state = :queued AND attribute_not_exists(#executionArn) AND #cancelRequested = :cancelRequested',
      values: { ':queued': 'queued', ':cancelRequested': cancelRequested },
    },
  );
}
