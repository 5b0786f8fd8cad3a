import type { Client } from 'pg';
import { copyOut } from '../../chunks/copy-out.ts';
import { copySql, rangeConditions, readCopiedTables } from '../../chunks/copy-sql.ts';
import { planChunks } from '../../chunks/plan.ts';
import { combineDigests, RowDigest } from '../../digest.ts';
import { CopyError, IncompleteBackupError } from '../../errors.ts';
import { qualifiedName, sqlState } from '../../snapshot/sql.ts';
import { tenantCondition } from '../../tenants/condition.ts';
import type { TenantByKey } from '../../tenants/model.ts';
import { selectTables } from '../../tenants/select-tables.ts';
import type { BlockRange } from '../../workflow.ts';
import type { CompareWork, ShardPlan } from '../events.ts';
import { type TargetServer, withTarget } from './target-session.ts';

/** What is in a part of a restored table. */
export interface ComparedTable {
  /** The oid in the manifest. */
  readonly table: number;
  readonly rows: number;
  /** Sum of the digests of these rows: see `digest.ts`. */
  readonly digest: string;
  /** Of a restore of one tenant's rows: which of the table's rows were wanted. Absent: all. */
  readonly selection?: 'all' | 'tenant' | 'none' | undefined;
  /** Rows among them that are not the tenant's, though they should be. */
  readonly others?: number | undefined;
}

/**
 * Divides the restored tables into work items for `compareRows`, at least one. The ranges of a table cover every block of
 * it, whatever was loaded.
 *
 * @param targetBytes of a table in one item.
 * @throws IncompleteBackupError naming a table that is not there.
 */
export async function planComparison(
  server: TargetServer,
  database: string,
  tables: ShardPlan['tables'],
  targetBytes: number,
): Promise<CompareWork[]> {
  const found = await withTarget(server, database, async (client) => {
    const { rows } = await client.query<{
      oid: number;
      schema: string;
      name: string;
      blocks: number;
      bytes: number;
    }>(
      `SELECT c.oid, n.nspname AS schema, c.relname AS name,
              (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS blocks,
              pg_catalog.pg_table_size(c.oid)::float8 AS bytes
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r'`,
    );
    return new Map(rows.map((row) => [qualifiedName(row), row]));
  });
  const inManifest = new Map<number, number>();
  const restored = tables.map((table) => {
    const there = found.get(qualifiedName(table));
    if (there === undefined) throw new IncompleteBackupError(`${qualifiedName(table)} was not restored.`);
    inManifest.set(there.oid, table.oid);
    return there;
  });
  const items = planChunks(restored, targetBytes).map(({ item, ranges }) => ({
    item,
    ranges: ranges.map((range) => ({ table: inManifest.get(range.oid) ?? 0, range })),
  }));
  return items.length === 0 ? [{ item: 0, ranges: [] }] : items;
}

/**
 * Reads ranges of restored tables as a backup would, and computes count and digest of their rows, summed up by table.
 *
 * @param tables of the plan: rows are read in the manifest's order of columns.
 * @param tenant the one whose rows were restored; default: all rows were.
 * @throws CopyError
 */
export async function compareRows(
  server: TargetServer,
  database: string,
  tables: ShardPlan['tables'],
  { ranges }: CompareWork,
  tenant?: TenantByKey,
): Promise<ComparedTable[]> {
  if (ranges.length === 0) return [];
  const columns = new Map(tables.map((table) => [table.oid, table.columns.map(({ name }) => name)]));
  return withTarget(server, database, async (client) => {
    const copied = await readCopiedTables(
      client,
      ranges.map(({ range }) => range.oid),
    );
    const selected = tenant === undefined ? undefined : (await selectTables(client, tenant)).tables;
    const parts: ComparedTable[] = [];
    for (const { table, range } of ranges) {
      const condition = copied.get(range.oid)?.condition ?? '';
      const source = copyOut(client, copySql(range, { columns: columns.get(table) ?? [], condition }));
      const digest = new RowDigest();
      try {
        for await (const piece of source) {
          digest.update(piece);
          source.reuse(piece);
        }
      } catch (error) {
        if (sqlState(error) === undefined) throw error;
        const said = error instanceof Error ? error.message : String(error);
        throw new CopyError(`Reading ${qualifiedName(range)} failed: ${said}`, { cause: error });
      }
      const part = { table, rows: digest.rows, digest: digest.digest };
      const wanted = selected?.get(range.oid);
      parts.push({
        ...part,
        ...(wanted && { selection: wanted.selection }),
        ...(tenant &&
          wanted?.selection === 'tenant' && {
            others: await countOthers(client, range, tenantCondition(wanted.tenantKey, tenant.id)),
          }),
      });
    }
    return sumUp(parts);
  });
}

/** Rows of a range that do not meet a condition. */
async function countOthers(client: Client, range: BlockRange, condition: string): Promise<number> {
  const conditions = [...rangeConditions(range), `(${condition}) IS NOT TRUE`];
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) AS count FROM ONLY ${qualifiedName(range)} WHERE ${conditions.join(' AND ')}`,
  );
  return Number(rows[0]?.count ?? 0);
}

/** One entry for each table, in their order. */
function sumUp(parts: readonly ComparedTable[]): ComparedTable[] {
  return [...Map.groupBy(parts, ({ table }) => table)].map(([table, own]) => ({
    table,
    rows: own.reduce((sum, { rows }) => sum + rows, 0),
    digest: combineDigests(own.map(({ digest }) => digest)),
    ...(own[0]?.selection !== undefined && { selection: own[0].selection }),
    ...(own[0]?.others !== undefined && { others: own.reduce((sum, { others = 0 }) => sum + others, 0) }),
  }));
}
