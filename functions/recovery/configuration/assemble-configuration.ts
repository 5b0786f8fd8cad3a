import { IncompleteBackupError } from '../errors.ts';
import type { ConfigurationSection } from '../manifest/configuration-section.ts';
import type { ConfigurationCatalog } from './configuration-catalog.ts';

/**
 * The manifest's section of the configuration, if it was stored and read back.
 * @throws IncompleteBackupError
 */
export async function assembleConfiguration(
  configuration: ConfigurationCatalog,
): Promise<ConfigurationSection> {
  const record = await configuration.get();
  if (record === undefined) throw new IncompleteBackupError('The configuration was not backed up.');
  if (record.verifiedAt === undefined) {
    throw new IncompleteBackupError('The configuration has not been read back.');
  }
  return { at: record.at, object: record.object };
}
