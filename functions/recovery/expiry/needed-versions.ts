import type { Logger } from '@aws-lambda-powertools/logger';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { DamagedObjectError, ManifestError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import { backupOfKey, namedObjects, versionName } from './named-objects.ts';

/** Reads manifests that are authentic; a `ManifestStore` is one. */
export interface ManifestReader {
  read(
    backupId: BackupId,
    versionId: string | null,
  ): Promise<{ readonly sha256: string; readonly manifest: unknown } | undefined>;
}

export interface NeededDependencies {
  readonly catalog: BackupCatalog;
  readonly manifests: ManifestReader;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

/** What of an expired backup has to stay, because of backups that refer to it. */
export type Needed =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'everything'; readonly dependents: string }
  | { readonly kind: 'versions'; readonly names: ReadonlySet<string>; readonly dependents: string };

/**
 * What of an expired backup its dependents need. A completed one says so in its manifest, which has to be authentic and
 * the one that was committed; one that is at work or has failed has not said yet, and may need everything. An
 * expired or deleted one needs nothing any more: what those need that refer to it, they refer to themselves.
 *
 * Nothing can come to need it later: an expired backup takes no new dependents.
 */
export async function neededOf(
  { catalog, manifests, log }: NeededDependencies,
  record: BackupRecord,
): Promise<Needed> {
  const seen: string[] = [];
  const names = new Set<string>();
  let everything = false;
  for (const id of record.dependents) {
    const dependent = await catalog.get(id);
    if (dependent === undefined) {
      // It is removed from the catalogue after its objects, and before it refers to anything it is in there.
      await catalog.removeDependent(record.id, id);
      log.info('A dependent that is gone was forgotten', { backupId: record.id, dependent: id });
      continue;
    }
    seen.push(`${id}:${dependent.state}`);
    if (dependent.state === 'expired' || dependent.state === 'deleting') continue;
    const found = dependent.state === 'completed' ? await named(manifests, dependent, record.id) : undefined;
    if (found instanceof Error) {
      log.error('A manifest does not say what it needs: nothing is removed', {
        backupId: record.id,
        dependent: id,
        error: found,
      });
    }
    if (Array.isArray(found)) for (const name of found) names.add(name);
    else everything = true;
  }
  const dependents = seen.join(' ');
  if (everything) return { kind: 'everything', dependents };
  return seen.length === 0 ? { kind: 'nothing' } : { kind: 'versions', names, dependents };
}

/** The versions of a backup that a dependent's manifest names; an error where the manifest cannot be relied on. */
async function named(
  manifests: ManifestReader,
  { id, manifest }: BackupRecord,
  owner: BackupId,
): Promise<string[] | Error> {
  if (manifest === undefined) return new ManifestError('There is no manifest.');
  try {
    const stored = await manifests.read(id, manifest.versionId);
    if (stored === undefined) return new ManifestError('There is no manifest.');
    if (stored.sha256 !== manifest.sha256) return new ManifestError('It is not the one that was committed.');
    return namedObjects(stored.manifest)
      .filter(({ key }) => backupOfKey(key) === owner)
      .map(versionName);
  } catch (error) {
    if (error instanceof ManifestError || error instanceof DamagedObjectError) return error;
    throw error;
  }
}
