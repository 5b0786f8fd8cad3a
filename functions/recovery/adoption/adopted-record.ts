import type { BackupOutcome, BackupRecord, NewBackup } from '../catalog/backup-record.ts';
import { addStages } from '../chunks/copy-chunk.ts';
import type { Manifest, ManifestShard } from '../manifest/manifest.ts';
import type { StoredManifest } from '../manifest/manifest-store.ts';
import type { Component, ShardBackup } from '../model.ts';
import { leavesOut } from '../tenants/require-tenant.ts';
import type { StoredObject } from '../workflow.ts';

/**
 * How the catalogue keeps a backup that is adopted: with the time at which it was taken, so that it stands among others where it
 * belongs, and until it is deleted, since nobody has said that it may go.
 */
export function newRecord(
  { manifest, versionId, sha256 }: StoredManifest,
  about: Pick<NewBackup, 'id' | 'traceparent' | 'requestedBy' | 'executionArn'>,
): NewBackup {
  const { tenant, import: dump, createdAt } = manifest;
  return {
    ...about,
    type: dump === undefined ? 'full' : 'import',
    trigger: 'api',
    components: componentsOf(manifest),
    shards: manifest.shards.map(({ name }) => name),
    ...(tenant && { tenant }),
    createdAt,
    keptBy: 'request',
    adopted: { backupId: manifest.backupId, versionId, sha256 },
    ...(dump && { import: importRecord(dump, createdAt) }),
  };
}

function componentsOf({ shards, files, configuration }: Manifest): Component[] {
  const found: Component[] = [];
  if (shards.length > 0) found.push('database');
  if (files !== undefined) found.push('files');
  if (configuration !== undefined) found.push('configuration');
  return found;
}

function importRecord(
  { name, format, packing, sha256, sizeBytes, segments }: NonNullable<Manifest['import']>,
  uploadUntil: string,
): NonNullable<BackupRecord['import']> {
  const announced = {};
  return { name, announced, uploadUntil, format, packing, sha256, sizeBytes, segments: segments.length };
}

/** What the catalogue tells of it when it is complete. How files and configuration were read is not known here. */
export function outcomeOf(manifest: Manifest): BackupOutcome {
  const { totals } = manifest;
  const { plainBytes: bytesRead, storedBytes: bytesStored } = totals;
  const chunks = manifest.shards.reduce((sum, shard) => sum + shard.chunks.length, 0);
  return {
    shardDetails: manifest.shards.map(describeShard),
    rows: totals.rows,
    sizeBytes: bytesStored,
    referencedBytes: 0,
    ...(manifest.tenant && { leavesOut: leavesOut(manifest) }),
    progress: {
      ...{ stage: 'done', chunksDone: chunks, chunksStored: chunks, chunksTotal: chunks },
      ...{ bytesRead, bytesStored, bytesPerSecond: 0, etaMs: 0 },
      ratio: bytesStored === 0 ? null : Number((bytesRead / bytesStored).toFixed(3)),
    },
  };
}

function describeShard({ name, origin, tables, chunks }: ManifestShard): ShardBackup {
  const sum = (value: (object: StoredObject) => number) =>
    chunks.reduce((total, object) => total + value(object), 0);
  return {
    ...{ shard: name, stage: 'done', snapshotAt: origin.instant, relations: tables.length },
    ...{ chunksTotal: chunks.length, chunksDone: chunks.length },
    rows: sum(({ rows }) => rows?.count ?? 0),
    bytesRead: sum(({ plainBytes }) => plainBytes),
    bytesStored: sum(({ storedBytes }) => storedBytes),
    stages: addStages([]),
  };
}
