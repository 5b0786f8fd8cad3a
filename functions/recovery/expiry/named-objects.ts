import * as z from 'zod';
import { type BackupId, backupIdSchema } from '../ids.ts';
import type { ObjectVersion } from '../objects/bucket.ts';
import { backupPrefix } from '../objects/object-keys.ts';

const namedSchema = z.object({ key: z.string(), versionId: z.string().nullable() });

/**
 * Every object that a manifest names, wherever in it that is: what holds a key and a version names an object. So a kind
 * of content that is new to the manifest is not left unprotected because somebody forgot to list it here.
 */
export function namedObjects(manifest: unknown): ObjectVersion[] {
  const found: ObjectVersion[] = [];
  const waiting: unknown[] = [manifest];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    const named = namedSchema.safeParse(value);
    if (named.success) found.push(named.data);
    for (const member of Object.values(value)) waiting.push(member);
  }
  return found;
}

/** The backup whose object this is, by its key. */
export function backupOfKey(key: string): BackupId | undefined {
  const [, id] = /^backups\/([^/]+)\//.exec(key) ?? [];
  const parsed = backupIdSchema.safeParse(id);
  return parsed.success && key.startsWith(backupPrefix(parsed.data)) ? parsed.data : undefined;
}

/** Tells versions of objects apart. */
export const versionName = ({ key, versionId }: ObjectVersion): string => `${versionId ?? ''}\n${key}`;
