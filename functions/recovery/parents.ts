import type { BackupCatalog } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import { BackupNotRunningError } from './errors.ts';
import type { BackupId, ShardName } from './ids.ts';

/** Newest backups that are looked at for one to refer to. */
const maxLookedAt = 200;
const pageSize = 20;
/** Most backups that one backup refers to: reading it back takes all of them. */
export const maxReferences = 100;

/**
 * Chooses for each shard the backup that its unchanged rows are referred to in, and has it and all that it refers to
 * kept. Called before anything is read; doing it again keeps to what was chosen first. A shard whose parent cannot be kept
 * is backed up in full.
 *
 * @throws BackupNotRunningError, DependencyError
 */
export async function chooseParents(catalog: BackupCatalog, id: BackupId): Promise<void> {
  const record = await catalog.get(id);
  if (record === undefined) throw new BackupNotRunningError(`There is no backup ${id}.`);
  const parents = new Map<string, BackupRecord>();
  if (record.parents === undefined) {
    for (const [shard, parent] of await newestUsable(catalog, record.shards)) parents.set(shard, parent);
  } else {
    for (const [shard, parentId] of Object.entries(record.parents)) {
      const parent = await catalog.get(parentId);
      if (parent !== undefined) parents.set(shard, parent);
    }
  }
  const kept = await keepAll(catalog, id, parents);
  const values = {
    type: kept.size === 0 ? 'full' : 'incremental',
    parents: Object.fromEntries(kept),
  } as const;
  if (!(await catalog.setParents(id, values))) {
    throw new BackupNotRunningError(`Backup ${id} is not running any more.`);
  }
}

/** By shard, the newest completed backup of it that is whole, and whose own references are. */
async function newestUsable(
  catalog: BackupCatalog,
  shards: readonly ShardName[],
): Promise<Map<ShardName, BackupRecord>> {
  const found = new Map<ShardName, BackupRecord>();
  const known = new Map<BackupId, boolean>();
  let before: string | undefined;
  for (let seen = 0; seen < maxLookedAt && found.size < shards.length; seen += pageSize) {
    const { backups, next } = await catalog.list(pageSize, before);
    for (const backup of backups) {
      const wanted = shards.filter((shard) => !found.has(shard) && backup.shards.includes(shard));
      if (wanted.length === 0 || !isUsable(backup) || !(await areWhole(catalog, backup, known))) continue;
      for (const shard of wanted) found.set(shard, backup);
    }
    if (next === undefined) break;
    before = next;
  }
  return found;
}

const isUsable = (backup: BackupRecord): boolean =>
  isWhole(backup) &&
  backup.type !== 'import' &&
  backup.tenant === undefined &&
  backup.adopted === undefined &&
  backup.components.includes('database') &&
  backup.references.length < maxReferences;

/** Whether a backup is complete, and nothing is known to be wrong with it. */
export const isWhole = ({ state, manifest, verification }: BackupRecord): boolean =>
  state === 'completed' && manifest !== undefined && (verification?.findings ?? 0) === 0;

/** Whether all that a backup refers to is whole. @param known what was found out before. */
export async function areWhole(
  catalog: BackupCatalog,
  { references }: BackupRecord,
  known: Map<BackupId, boolean>,
): Promise<boolean> {
  for (const reference of references) {
    const record = known.has(reference) ? undefined : await catalog.get(reference);
    const whole = known.get(reference) ?? (record !== undefined && isWhole(record));
    known.set(reference, whole);
    if (!whole) return false;
  }
  return true;
}

/**
 * Has the parents and all that they refer to kept. Noted in the record first, so that whoever removes the backup
 * takes the notes away again, however far this came.
 *
 * @returns by shard, the parents that are kept with all that they refer to.
 */
async function keepAll(
  catalog: BackupCatalog,
  id: BackupId,
  parents: ReadonlyMap<string, BackupRecord>,
): Promise<Map<string, BackupId>> {
  const needed = (parent: BackupRecord) => [parent.id, ...parent.references];
  const all = new Set([...parents.values()].flatMap(needed));
  if (all.size > 0) await catalog.addReferences(id, [...all]);
  const refused = new Set<BackupId>();
  for (const reference of all) {
    if (!(await catalog.addDependent(reference, id))) refused.add(reference);
  }
  const kept = [...parents].filter(([, parent]) => needed(parent).every((each) => !refused.has(each)));
  return new Map(kept.map(([shard, parent]) => [shard, parent.id]));
}
