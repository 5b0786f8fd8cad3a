import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { type Clock, isoTime } from '../clock.ts';
import { restoreIdSchema } from '../ids.ts';
import { workStateSchema } from '../model.ts';
import { operationList } from './operation-catalog.ts';
import type { RecoveryTable } from './recovery-table.ts';
import { executionName, RestoreCatalog } from './restore-catalog.ts';

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
  /** Of a restore that was resumed. */
  queuedAt: z.iso.datetime().optional(),
  attempts: z.number().int().default(1),
  resumableUntil: z.iso.datetime().optional(),
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
 * canceled. A restore that was resumed can be resumed again, as long as it could before. Should an execution come to it nevertheless, that ends by itself.
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
      if (!isUnstarted(entry, now)) continue;
      await keepDiscard(table, entry, now);
      if (!(await end(table, entry, ended, now))) continue;
      log.warn('Work was asked for and never started', { id: entry.id, list: name });
      ids.push(entry.id);
    }
  }
  return ids;
}

/**
 * What a restore has restored that was resumed stays for as long as it may be resumed again; resuming it has taken the note away
 * by which it is removed then.
 */
async function keepDiscard(
  table: RecoveryTable,
  { id, attempts, resumableUntil, cancelRequested }: Entry,
  now: number,
): Promise<void> {
  if (attempts === 1) return;
  const at = cancelRequested || resumableUntil === undefined ? now : Date.parse(resumableUntil);
  await new RestoreCatalog(table).discardNeeded(restoreIdSchema.parse(id), at);
}

/** An import waits for its upload, the restore of a drill for the drill: each has an end of its own. */
const isUnstarted = (entry: Entry, now: number): boolean =>
  entry.state === workStateSchema.enum.queued &&
  !isWorkedOn(entry) &&
  entry.type !== 'import' &&
  entry.drill !== true &&
  Date.parse(entry.queuedAt ?? entry.createdAt) < now - startMs;

/** A restore that was resumed may still name the execution of the attempt before. */
const isWorkedOn = ({ id, executionArn, attempts }: Entry): boolean =>
  executionArn !== undefined && (attempts === 1 || executionArn.endsWith(`:${executionName(id, attempts)}`));

function end(
  table: RecoveryTable,
  { pk, sk, cancelRequested, executionArn, attempts }: Entry,
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
      expression: `#state = :queued AND #cancelRequested = :cancelRequested AND ${
        executionArn === undefined
          ? 'attribute_not_exists(#executionArn)'
          : '#executionArn = :executionArn AND #attempts = :attempts'
      }`,
      values: {
        ...{ ':queued': 'queued', ':cancelRequested': cancelRequested },
        ...(executionArn !== undefined && { ':executionArn': executionArn, ':attempts': attempts }),
      },
    },
  );
}
