import { Problem } from '../../../shared/problem.ts';
import type { BackupId } from '../../ids.ts';
import type { RestoreBody } from '../contract.ts';

/** What a request asks for: a backup, or a point in time. */
export type Wanted =
  | { readonly backupId: BackupId }
  | { readonly pointInTime: string; readonly cutOver: boolean };

/** @throws Problem (422) naming the field, when a request does not ask for exactly one of the two, or mixes them. */
export function wantedOf(body: RestoreBody): Wanted {
  const { backupId, pointInTime, cutOver } = body;
  if (pointInTime === undefined) {
    if (backupId === undefined)
      throw unprocessable('backupId', 'is missing: give either it or `pointInTime`');
    if (cutOver)
      throw unprocessable(
        'cutOver',
        'belongs to `pointInTime`; a backup is swapped in by the mode `replace`',
      );
    return { backupId };
  }
  if (backupId !== undefined) throw unprocessable('backupId', 'cannot be given together with `pointInTime`');
  if (body.keys !== 'kms') throw unprocessable('keys', 'belongs to `backupId`: RDS opens its own snapshots');
  if (body.mode === 'replace') throw unprocessable('mode', 'belongs to `backupId`; use `cutOver`');
  for (const field of ['tables', 'tenant', 'database'] as const) {
    if (body[field] !== undefined)
      throw unprocessable(field, 'belongs to `backupId`: a whole cluster is restored');
  }
  return { pointInTime: pointInTime === 'latest' ? pointInTime : wholeSecond(pointInTime), cutOver };
}

/** In UTC, rounded down. */
const wholeSecond = (time: string): string =>
  new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString();

function unprocessable(field: string, message: string): Problem {
  return new Problem('unprocessable-request', `\`${field}\` ${message}.`, {
    errors: [{ field: `body.${field}`, message }],
  });
}
