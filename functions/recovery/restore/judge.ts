import type { RestoreNotes } from '../catalog/restore-notes.ts';
import type { Compared, Loaded } from '../catalog/restore-record.ts';
import { combineDigests } from '../digest.ts';
import { IncompleteBackupError, RestoredDiffersError } from '../errors.ts';
import type { ShardName } from '../ids.ts';
import type { Bucket } from '../objects/bucket.ts';
import { pickUp } from '../objects/work-objects.ts';
import { qualifiedName } from '../snapshot/sql.ts';
import { type RestoreTarget, type ShardPlan, shardPlanSchema } from './events.ts';
import type { TableDifference } from './model.ts';

const maxListed = 100;

type Selection = Compared['tables'][number]['selection'];

/**
 * Compares what was read from the restored tables with the manifest: rows and digest of each table.
 *
 * @throws RestoredDiffersError naming the first table that is not the same. The differences are noted before.
 */
export async function judgeRestore(
  deps: { readonly notes: RestoreNotes; readonly bucket: Bucket },
  targets: readonly RestoreTarget[],
): Promise<void> {
  const compared = await deps.notes.compared();
  const loaded = await deps.notes.loaded();
  let first: string | undefined;
  for (const { name: shard, plan: place } of targets) {
    const plan = shardPlanSchema.parse(await pickUp(deps.bucket, place));
    const own = compared.filter((item) => item.shard === shard);
    const differences = differencesOf(plan, own);
    await deps.notes.setShard(shard, {
      tablesCompared: plan.tables.length,
      differences: differences.slice(0, maxListed),
    });
    const [difference] = differences;
    if (plan.tenant !== undefined) requireAllLoaded(shard, loaded, own);
    if (difference !== undefined) first ??= `${shard}: ${describe(difference)}`;
  }
  if (first !== undefined)
    throw new RestoredDiffersError(`What was restored is not what was backed up. ${first}`);
}

/**
 * Of a tenant's rows nobody knows beforehand how many there are: as many as were loaded.
 * @throws RestoredDiffersError
 */
function requireAllLoaded(shard: ShardName, loaded: readonly Loaded[], compared: readonly Compared[]): void {
  const sum = (rows: readonly number[]) => rows.reduce((total, count) => total + count, 0);
  const put = sum(loaded.filter((item) => item.shard === shard).map(({ rows }) => rows));
  const found = sum(compared.flatMap(({ tables }) => tables.map(({ rows }) => rows)));
  if (put === found) return;
  throw new RestoredDiffersError(`${shard} has ${found} rows; ${put} were loaded.`);
}

/** Which tables of a plan were not found as the manifest has them. */
export function differencesOf(plan: ShardPlan, compared: readonly Compared[]): TableDifference[] {
  const found = new Map<number, { rows: number; digests: string[]; selection?: Selection; others: number }>();
  for (const { table, rows, digest, selection, others = 0 } of compared.flatMap(({ tables }) => tables)) {
    const sum = found.get(table) ?? { rows: 0, digests: [], others: 0 };
    found.set(table, {
      rows: sum.rows + rows,
      digests: [...sum.digests, digest],
      ...(selection !== undefined && { selection }),
      others: sum.others + others,
    });
  }
  return plan.tables.flatMap((table) => {
    const name = qualifiedName(table);
    const own = found.get(table.oid);
    if (own === undefined) throw new IncompleteBackupError(`${name} has not been compared.`);
    if (plan.tenant !== undefined && own.selection !== 'all') {
      // Of a tenant's rows the manifest has no digest: none may be another's, and of other tables none may be there.
      const expectedRows = own.selection === 'tenant' ? own.rows - own.others : 0;
      return own.rows === expectedRows
        ? []
        : [{ table: name, expectedRows, rows: own.rows, sameDigest: false }];
    }
    const sameDigest = combineDigests(own.digests) === table.digest;
    if (sameDigest && own.rows === table.rows) return [];
    return [{ table: name, expectedRows: table.rows, rows: own.rows, sameDigest }];
  });
}

const describe = ({ table, rows, expectedRows }: TableDifference): string =>
  rows === expectedRows
    ? `${table} has ${rows} rows as it should, but not the same ones.`
    : `${table} has ${rows} rows; ${expectedRows} were backed up.`;
