import { expect } from '@jest/globals';
import type { Backup } from '../../../functions/recovery/model.ts';
import { type Backups, expectCompleted } from './backups.ts';
import { verifyBackup } from './recovery.ts';
import { StoredBackup } from './stored-backup.ts';

/**
 * Expects a backup to be complete whatever happened on the way: every row once, and each object as it was stored.
 *
 * @param rows how many there are.
 */
export async function expectBackupIsWhole(backups: Backups, backup: Backup, rows: number): Promise<void> {
  expect(expectCompleted(backup).rows).toBe(rows);
  const { manifest } = await StoredBackup.open(backups.local, backup.id);
  const ranges = manifest.shards.flatMap(({ chunks }) =>
    chunks.map((chunk) => JSON.stringify(chunk.rows?.range)),
  );
  expect(new Set(ranges).size).toBe(ranges.length);
  expect(manifest.totals.rows).toBe(rows);
  expect(await verifyBackup(backups.call, backup.id)).toMatchObject({ intact: true });
}

/**
 * Expects a backup to have failed and said why, to be no backup, and everything that it had stored or held to be gone. Mends what
 * is broken first.
 *
 * @param cause what code and message of its error have to match.
 */
export async function expectBackupIsGone(
  backups: Backups,
  backup: Backup,
  shard: string,
  cause: RegExp,
): Promise<void> {
  await backups.breakage.mend();
  expect(backup).toMatchObject({ state: 'failed', verified: false, manifest: null });
  expect(`${backup.error?.code}: ${backup.error?.message}`).toMatch(cause);
  await backups.released(shard);
  await backups.swept(backup.id);
}
