import { expect } from '@jest/globals';
import { type Backups, expectCompleted } from './backups.ts';
import { createBigTable, dropBigTable } from './big-table.ts';
import { peakRssOf, withVariables } from './functions.ts';

/**
 * Backs a shard up that has one large table, copied by one invocation.
 *
 * @param megabytes size of the table.
 * @returns the most memory that a process of the copying function had resident, in bytes.
 */
export async function peakMemoryFor(backups: Backups, shard: string, megabytes: number): Promise<number> {
  try {
    await createBigTable(backups.local, shard, megabytes);
    return await withVariables(backups.local, 'RecoveryPlanChunks', { CHUNK_TARGET_MIB: '4096' }, () =>
      // Other variables mean new processes: the peak is this backup's own.
      withVariables(backups.local, 'RecoveryChunkPipeline', { PEAK_OF: String(megabytes) }, async () => {
        const backup = expectCompleted(
          await backups.ended(await backups.start({ shards: [shard] }), 300_000),
        );
        expect(backup.progress.bytesRead).toBeGreaterThan(megabytes * 1_000_000);
        return peakRssOf(backups.local, 'RecoveryChunkPipeline');
      }),
    );
  } finally {
    await dropBigTable(backups.local, shard);
    await backups.tidy();
  }
}
