import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { isoTime } from '../clock.ts';

/** How long an upload may take; then S3's lifecycle removes what there is of it. */
export const uploadMs = 24 * 60 * 60 * 1000;

/** Whether an import waits for its upload, and nothing works on it yet. */
export const isWaiting = ({ state, type, executionArn }: BackupRecord): boolean =>
  state === 'queued' && type === 'import' && executionArn === undefined;

/** Ends an import that waits for its upload, because it was canceled. */
export async function cancelWaiting(
  catalog: BackupCatalog,
  record: BackupRecord,
  now: number,
): Promise<void> {
  if (isWaiting(record)) await catalog.end(record.id, 'canceled', { finishedAt: isoTime(now) });
}

/**
 * Ends an import whose upload never came.
 * @returns whether it did: then nothing of it is left to wait for.
 */
export async function failAbandoned(
  catalog: BackupCatalog,
  record: BackupRecord,
  now: number,
): Promise<boolean> {
  const until = record.import?.uploadUntil;
  if (!isWaiting(record) || until === undefined || now < Date.parse(until)) return false;
  return catalog.end(record.id, 'failed', {
    finishedAt: isoTime(now),
    error: { code: 'UploadMissing', message: `Nothing was uploaded until ${until}.` },
  });
}
