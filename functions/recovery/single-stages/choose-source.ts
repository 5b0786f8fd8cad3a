import { Problem } from '../../shared/problem.ts';
import { backupIdSchema } from '../ids.ts';
import type { Source } from './events.ts';

interface Asked {
  readonly key?: string | undefined;
  readonly versionId?: string | undefined;
  readonly backupId?: string | undefined;
  readonly object?: string | undefined;
}

/** Keys that single stages may be asked to read by themselves; no segment of them is empty, `.` or `..`. */
const readable = /^(uploads|scratch)(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;
const ofBackup = /^backups(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;

/**
 * Reads what a single stage is to work on: an object below `uploads/` or `scratch/`, or one of a backup's objects.
 *
 * @throws Problem 422 naming the field.
 */
export function chooseSource({ key, versionId, backupId, object }: Asked): Source {
  if (key !== undefined) {
    if (backupId !== undefined) throw refused('backupId', 'goes with `object` and not with `key`');
    if (object !== undefined) throw refused('object', 'goes with `backupId` and not with `key`');
    if (!readable.test(key)) throw refused('key', 'is not that of an object below uploads/ or scratch/');
    return { key, versionId: versionId ?? null };
  }
  if (versionId !== undefined) throw refused('versionId', 'goes with `key`');
  if (backupId === undefined) throw refused('key', 'or `backupId` has to be given');
  const id = backupIdSchema.safeParse(backupId).data;
  if (id === undefined) throw refused('backupId', 'is not the id of a backup');
  if (object === undefined) throw refused('object', 'has to be given with `backupId`');
  if (!ofBackup.test(object)) throw refused('object', 'is not the key of an object of a backup');
  return { backupId: id, object };
}

/** A field of the body that cannot be as it is. */
export function refused(field: string, message: string): Problem {
  const name = `body.${field}`;
  return new Problem('unprocessable-request', `${name} ${message}.`, { errors: [{ field: name, message }] });
}
