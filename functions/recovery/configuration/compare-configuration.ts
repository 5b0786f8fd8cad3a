import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { RestoreNotes } from '../catalog/restore-notes.ts';
import { DamagedObjectError, ManifestError, UnknownBackupError } from '../errors.ts';
import { storedContent } from '../files/read-index.ts';
import type { BackupId, RestoreId } from '../ids.ts';
import type { ConfigurationSection } from '../manifest/configuration-section.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import type { Bucket } from '../objects/bucket.ts';
import { scratchPrefix } from '../objects/object-keys.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import { differences } from './diff.ts';
import { type Configuration, configurationSchema } from './document.ts';
import type { PlatformTables } from './read-tables.ts';
import { applyScript } from './script.ts';

export interface CompareConfigurationDependencies {
  readonly catalog: BackupCatalog;
  readonly manifests: ManifestStore;
  readonly place: VerifyPlace;
  /** Where the result is left. */
  readonly scratch: Bucket;
  readonly notes: RestoreNotes;
  readonly tables: PlatformTables;
}

/**
 * Leaves what has changed in the configuration since a backup, and the commands that would undo it. Nothing is applied.
 *
 * @returns how much has changed.
 * @throws UnknownBackupError, ManifestError, DamagedObjectError, DependencyError
 */
export async function compareConfiguration(
  deps: CompareConfigurationDependencies,
  { backupId, restoreId }: { backupId: BackupId; restoreId: RestoreId },
  now: Configuration,
): Promise<number> {
  const { place, scratch, notes } = deps;
  const section = await readSection(deps, backupId);
  const then = await readStored(place, section);
  const changes = differences(then, now);
  const diffKey = `${scratchPrefix(restoreId)}configuration-diff.json`;
  const scriptKey = `${scratchPrefix(restoreId)}configuration-apply.sh`;
  const diff = { backupId, backedUpAt: section.at, comparedAt: now.at, changes };
  await scratch.writeText(diffKey, `${JSON.stringify(diff, null, 2)}\n`);
  await scratch.writeText(scriptKey, applyScript(changes, deps.tables));
  await notes.putConfiguration({
    backedUpAt: section.at,
    changes: changes.length,
    redacted: changes.filter(({ redacted }) => redacted).length,
    diffKey,
    scriptKey,
  });
  return changes.length;
}

async function readSection(
  { catalog, manifests }: CompareConfigurationDependencies,
  backupId: BackupId,
): Promise<ConfigurationSection> {
  const record = await catalog.get(backupId);
  if (record?.manifest === undefined)
    throw new UnknownBackupError(`There is no complete backup ${backupId}.`);
  const stored = await manifests.read(backupId, record.manifest.versionId);
  if (stored === undefined || stored.sha256 !== record.manifest.sha256) {
    throw new ManifestError(`The manifest of ${backupId} is not the one that was committed.`);
  }
  if (stored.manifest.configuration === undefined) {
    throw new ManifestError(`The manifest of ${backupId} has no configuration.`);
  }
  return stored.manifest.configuration;
}

async function readStored(place: VerifyPlace, { object }: ConfigurationSection): Promise<Configuration> {
  const pieces: Buffer[] = [];
  for await (const piece of storedContent(place, object)) pieces.push(piece);
  const parsed = configurationSchema.safeParse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new DamagedObjectError(`${object.key} is no configuration: ${parsed.error.issues[0]?.message}`);
}
