import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { ComponentCatalog } from '../catalog/component-catalog.ts';
import { assembleConfiguration } from '../configuration/assemble-configuration.ts';
import { assembleFiles } from '../files/assemble-files.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import type { Manifest } from './manifest.ts';
import type { ManifestStore } from './manifest-store.ts';

/** The manifest's sections of what the backup has beside databases. */
export type ComponentSections = Pick<Manifest, 'files' | 'configuration'>;

/**
 * Puts them together, where they were asked for and if they are complete.
 * @throws IncompleteBackupError, DependencyError
 */
export async function assembleComponents(
  deps: {
    readonly catalog: BackupCatalog;
    readonly manifests: ManifestStore;
    readonly place: VerifyPlace;
    readonly components: ComponentCatalog;
  },
  { id, components }: Pick<BackupRecord, 'id' | 'components'>,
): Promise<ComponentSections> {
  const { files, configuration } = deps.components;
  return {
    ...(components.includes('files') && { files: await assembleFiles({ ...deps, files }, id) }),
    ...(components.includes('configuration') && {
      configuration: await assembleConfiguration(configuration),
    }),
  };
}
