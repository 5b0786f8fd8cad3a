import type { ComponentCatalog } from './catalog/component-catalog.ts';
import { addStages } from './chunks/copy-chunk.ts';
import type { Component, ConfigurationBackup, FilesBackup, StageTotals } from './model.ts';

/** How far the parts of a backup are that are not of its databases; `null` for those that it has not. */
export interface ComponentProgress {
  readonly files: FilesBackup | null;
  readonly configuration: ConfigurationBackup | null;
}

/** Merges them from their working records as they are now. */
export async function readComponentProgress(
  catalog: ComponentCatalog,
  components: readonly Component[],
): Promise<ComponentProgress> {
  return {
    files: components.includes('files') ? await readFilesProgress(catalog) : null,
    configuration: components.includes('configuration') ? await readConfigurationProgress(catalog) : null,
  };
}

async function readFilesProgress({ files }: ComponentCatalog): Promise<FilesBackup> {
  const record = await files.get();
  let [filesDone, bytesRead, bytesStored, itemsDone] = [0, 0, 0, 0];
  let stages: StageTotals = addStages([]);
  for await (const item of files.itemProgress()) {
    bytesRead += item.bytesRead;
    bytesStored += item.bytesStored;
    stages = addStages([stages, item.stages]);
    if (item.verifiedAt === undefined) continue;
    itemsDone++;
    filesDone += item.files;
  }
  const { listed = none, kept = none, index, indexVerifiedAt, items } = record ?? {};
  return {
    stage: indexVerifiedAt === undefined ? (items === undefined ? 'listing' : 'copying') : 'done',
    bucket: record?.bucket ?? null,
    listedAt: record?.listedAt ?? null,
    filesListed: listed.files,
    bytesListed: listed.bytes,
    filesKept: kept.files,
    filesCopied: filesDone,
    itemsTotal: items ?? null,
    itemsDone,
    bytesRead,
    bytesStored: bytesStored + (index?.storedBytes ?? 0),
    stages,
  };
}

const none = { files: 0, bytes: 0 };

async function readConfigurationProgress({ configuration }: ComponentCatalog): Promise<ConfigurationBackup> {
  const record = await configuration.get();
  return {
    at: record?.at ?? null,
    verified: record?.verifiedAt !== undefined,
    bytes: record?.object.plainBytes ?? 0,
    bytesStored: record?.object.storedBytes ?? 0,
    redacted: record?.redacted ?? 0,
  };
}
