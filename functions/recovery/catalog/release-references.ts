import type { BackupCatalog } from './backup-catalog.ts';
import type { BackupRecord } from './backup-record.ts';

/**
 * Notes that a backup refers to nothing any more: after its objects and its manifest are gone, not before. Doing it again
 * changes nothing.
 */
export async function releaseReferences(
  catalog: Pick<BackupCatalog, 'removeDependent'>,
  { id, references }: Pick<BackupRecord, 'id' | 'references'>,
): Promise<void> {
  for (const reference of references) await catalog.removeDependent(reference, id);
}
