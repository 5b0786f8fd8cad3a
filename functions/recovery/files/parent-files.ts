import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { ManifestError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import type { FilesSection } from '../manifest/files-section.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { areWhole, isWhole, maxReferences } from '../parents.ts';
import type { BackupInput } from '../workflow.ts';

export interface ParentDependencies {
  readonly catalog: BackupCatalog;
  readonly manifests: ManifestStore;
}

/** Backups that are looked at for a parent: more than a month of one every six hours. */
const pageSize = 50;
const maximumPages = 4;

/**
 * Chooses the backup whose unchanged files an incremental backup refers to: the newest completed one with files of the
 * same bucket. It and all that it refers to are kept from then on, before anything of them is read.
 *
 * @returns nothing when there is none: all files are copied.
 * @throws ManifestError, DependencyError
 */
export async function chooseFilesParent(
  deps: Pick<ParentDependencies, 'catalog'>,
  record: BackupRecord,
  asked: BackupInput['type'],
  bucket: string,
): Promise<BackupId | undefined> {
  if (record.filesParent !== undefined) return record.filesParent;
  if (asked !== 'incremental') return undefined;
  const known = new Map<BackupId, boolean>();
  let before: string | undefined;
  for (let page = 0; page < maximumPages; page++) {
    const { backups, next } = await deps.catalog.list(pageSize, before, 'completed');
    for (const backup of backups) {
      if (backup.type === 'import' || backup.adopted !== undefined) continue;
      if (!backup.components.includes('files')) continue;
      if (backup.files?.bucket !== bucket) continue;
      if (backup.references.length >= maxReferences || !isWhole(backup)) continue;
      if (!(await areWhole(deps.catalog, backup, known))) continue;
      if (!(await dependOn(deps.catalog, backup, record.id))) continue;
      await deps.catalog.setFilesParent(record.id, backup.id);
      return backup.id;
    }
    if (next === undefined) break;
    before = next;
  }
  // Its databases may refer to others all the same.
  if (Object.keys(record.parents ?? {}).length === 0) {
    await deps.catalog.setParents(record.id, { type: 'full', parents: {} });
  }
  return undefined;
}

/**
 * Keeps a backup and what it refers to. Noted in the record first, so that whoever removes the backup takes the notes
 * away again, however far this came.
 */
async function dependOn(catalog: BackupCatalog, backup: BackupRecord, dependent: BackupId): Promise<boolean> {
  const wanted = [backup.id, ...backup.references];
  await catalog.addReferences(dependent, wanted);
  for (const id of wanted) if (!(await catalog.addDependent(id, dependent))) return false;
  return true;
}

/** The files of a completed backup, as its manifest has them. @throws ManifestError, DependencyError */
export async function readFilesSection(
  manifests: ManifestStore,
  catalog: BackupCatalog,
  id: BackupId,
): Promise<FilesSection> {
  const record = await catalog.get(id);
  if (record?.manifest === undefined) throw new ManifestError(`Backup ${id} has no manifest.`);
  const stored = await manifests.read(id, record.manifest.versionId);
  if (stored === undefined) throw new ManifestError(`The manifest of ${id} is missing.`);
  if (stored.sha256 !== record.manifest.sha256) {
    throw new ManifestError('The manifest is authentic, but it is not the one that was committed.');
  }
  if (stored.manifest.files === undefined) throw new ManifestError(`The manifest of ${id} has no files.`);
  return stored.manifest.files;
}
