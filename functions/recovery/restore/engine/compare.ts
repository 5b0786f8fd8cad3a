import { copyOut } from '../../chunks/copy-out.ts';
import { copySql, readCopiedTables } from '../../chunks/copy-sql.ts';
import { planChunks } from '../../chunks/plan.ts';
import { combineDigests, RowDigest } from '../../digest.ts';
import { CopyError, IncompleteBackupError } from '../../errors.ts';
import { qualifiedName, sqlState } from '../../snapshot/sql.ts';
import type { CompareWork, ShardPlan } from '../events.ts';
import { type TargetServer, withTarget } from './target-session.ts';

/** What is in a part of a restored table. */
export interface ComparedTable {
  /** The oid in the manifest. */
  readonly table: number;
  readonly rows: number;
  /** Sum of the digests of these rows: see `digest.ts`. */
  readonly digest: string;
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
 * @throws CopyError
 */
export async function compareRows(
  server: TargetServer,
  database: string,
  tables: ShardPlan['tables'],
  { ranges }: CompareWork,
): Promise<ComparedTable[]> {
  if (ranges.length === 0) return [];
  const columns = new Map(tables.map((table) => [table.oid, table.columns.map(({ name }) => name)]));
  return withTarget(server, database, async (client) => {
    const copied = await readCopiedTables(
      client,
      ranges.map(({ range }) => range.oid),
    );
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
      parts.push({ table, rows: digest.rows, digest: digest.digest });
    }
    return sumUp(parts);
  });
}

/** One entry for each table, in their order. */
function sumUp(parts: readonly ComparedTable[]): ComparedTable[] {
  return [...Map.groupBy(parts, ({ table }) => table)].map(([table, own]) => ({
    table,
    rows: own.reduce((sum, { rows }) => sum + rows, 0),
    digest: combineDigests(own.map(({ digest }) => digest)),
  }));
}
