import type { BackupRecord } from './catalog/backup-record.ts';
import type { ChunkCatalog } from './catalog/chunk-catalog.ts';
import type { Stage } from './model.ts';
import { type MergedProgress, ProgressMerge } from './progress.ts';

/** Merges the progress of a backup from its working records as they are now. */
export async function readProgress(
  chunks: ChunkCatalog,
  record: Pick<BackupRecord, 'shards' | 'committingAt'>,
  now: number,
  stage: Stage | undefined = record.committingAt === undefined ? undefined : 'committing',
): Promise<MergedProgress> {
  const merge = new ProgressMerge();
  for await (const chunk of chunks.chunkProgress()) merge.add(chunk);
  return merge.merge(record.shards, await chunks.shards(), now, stage);
}
