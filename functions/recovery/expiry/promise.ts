import type { Rule } from '../automation/model.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { isoTime } from '../clock.ts';
import { daysAfter } from './calendar.ts';
import type { Promised } from './retention-catalog.ts';

/**
 * How long a backup is kept: as whoever asked for it said, else as the rule says now. Without either it is kept until
 * it is deleted, also when there is a rule again later: nobody has said that it may go.
 */
export function promiseOf(
  { keepDays, lockDays, createdAt }: Pick<BackupRecord, 'keepDays' | 'lockDays' | 'createdAt'>,
  rule: Rule | undefined,
): Promised {
  const locked = lockDays ?? rule?.lockDays ?? undefined;
  const lock = locked === undefined ? {} : { lockDays: locked };
  const until = (days: number) => isoTime(daysAfter(Date.parse(createdAt), days));
  if (keepDays === null) return { keptBy: 'request', ...lock };
  if (keepDays !== undefined) return { keptBy: 'request', keepUntil: until(keepDays), ...lock };
  if (rule === undefined) return { keptBy: 'request', ...lock };
  return { keptBy: 'rule', keepUntil: until(rule.retentionDays), ...lock };
}
