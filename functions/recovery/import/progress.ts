import type { BackupRecord } from '../catalog/backup-record.ts';
import type { Progress } from '../model.ts';
import type { SegmentRecord } from './import-catalog.ts';

/** The progress of an import, merged from its segments; a segment counts when it was read back. */
export function importProgress(
  record: BackupRecord,
  segments: readonly SegmentRecord[],
  now: number,
): Progress {
  const total = record.import?.segments ?? null;
  const sum = (value: (segment: SegmentRecord) => number) =>
    segments.reduce((total, segment) => total + value(segment), 0);
  const bytesRead = sum(({ object }) => object.plainBytes);
  const bytesStored = sum(({ object }) => object.storedBytes);
  const begun = Math.min(...segments.map(({ startedAt }) => Date.parse(startedAt)));
  const last = Math.max(...segments.map(({ verifiedAt }) => Date.parse(verifiedAt)));
  const done = segments.length;
  const elapsedMs = done === 0 ? 0 : Math.max(1, (done === total ? last : now) - begun);
  return {
    stage: record.committingAt !== undefined ? 'committing' : total === null ? 'planning' : 'chunks',
    chunksDone: done,
    chunksStored: done,
    chunksTotal: total,
    bytesRead,
    bytesStored,
    bytesPerSecond: elapsedMs === 0 ? 0 : Math.round((bytesRead * 1000) / elapsedMs),
    ratio: bytesStored === 0 ? null : Number((bytesRead / bytesStored).toFixed(3)),
    etaMs: total === null || done === 0 ? null : Math.round((elapsedMs / done) * (total - done)),
  };
}
