import * as z from 'zod';
import { sqlHashFunctions } from '../../hash/keys.ts';
import type { Counted } from '../settings.ts';
import type { Sample, TableFound } from './model.ts';

/** What is needed of a connection. */
export interface Client {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

const number = z.coerce.number().min(0);

const sizeSchema = z.object({
  oid: z.string(),
  rows: number,
  pages: number,
  bytes: number,
  tuples: number,
  tenant: z.boolean(),
});

/**
 * The table with its partitions and children: about how many rows, blocks and bytes it has, and the tuples that were read from it and
 * written to it since its counters began. Rows of tables that nothing has counted yet are guessed by their blocks.
 */
const sizeSql = `WITH RECURSIVE root AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'm')
), tree AS (
  SELECT oid FROM root
  UNION ALL
  SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid
), parts AS (
  SELECT c.oid, pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages,
         pg_total_relation_size(c.oid) AS bytes, c.reltuples, c.relpages
    FROM tree JOIN pg_class c USING (oid) WHERE c.relkind <> 'p'
)
SELECT (SELECT oid FROM root)::text AS oid,
       coalesce(sum(CASE WHEN p.relpages > 0 AND p.reltuples >= 0 THEN p.reltuples / p.relpages * p.pages
                         ELSE p.pages * 80 END), 0) AS rows,
       coalesce(sum(p.pages), 0) AS pages, coalesce(sum(p.bytes), 0) AS bytes,
       coalesce(sum(coalesce(s.seq_tup_read, 0) + coalesce(s.idx_tup_fetch, 0)
                    + s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0) AS tuples,
       EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = (SELECT oid FROM root) AND a.attname = $3 AND NOT a.attisdropped) AS tenant
  FROM parts p LEFT JOIN pg_stat_all_tables s ON s.relid = p.oid
HAVING EXISTS (SELECT FROM root)`;

export type TableSize = z.output<typeof sizeSchema> & { tenantColumn: string | undefined };

/** How large a table is, by the server's own statistics; undefined where there is none of that name. */
export async function sizeOf(
  client: Client,
  { table }: Pick<Counted['tables'][number], 'table'>,
  counted: Counted,
): Promise<TableSize | undefined> {
  const [schema = '', name = ''] = table.includes('.') ? table.split('.') : ['public', table];
  const tenantColumn = counted.tenantColumns[`${schema}.${name}`] ?? counted.tenantColumn;
  const { rows } = await client.query(sizeSql, [schema, name, tenantColumn ?? '']);
  if (rows[0] === undefined) return undefined;
  const size = sizeSchema.parse(rows[0]);
  return { ...size, tenantColumn: size.tenant ? tenantColumn : undefined };
}

const slotRowSchema = z.array(
  z.object({ slot: z.int(), pinned: z.string().nullable(), n: number, width: number }),
);
const slotsSql = `SELECT slot, pinned_tenant AS pinned, n, width
  FROM mainstay.count_slots($1::oid::regclass, $2, $3, $4, $5, $6, $7, $8)`;

/** What one table has in one slot, scaled to the whole table. */
export interface SlotCount {
  readonly slot: number;
  /** The pinned tenant whose rows these are; undefined for all others together. */
  readonly pinned: string | undefined;
  readonly rows: number;
  readonly bytes: number;
}

export interface TableCount {
  readonly found: Omit<TableFound, 'loadPerSecond'>;
  readonly slots: readonly SlotCount[];
}

/** Nineteen of twenty values of a normal distribution lie within so many standard deviations. */
const nineteenOfTwenty = 1.96;

/**
 * Counts a table by slot: all of it or, where it is large, two samples of its blocks that are drawn independently of each other.
 * How far they differ tells how far either may be off, also where rows of one key lie together. Bytes are the table's on
 * disk, divided as its rows are wide.
 */
export async function countTable(
  client: Client,
  table: Counted['tables'][number],
  size: TableSize,
  {
    slots,
    pinned,
    sampleRows,
    seed,
  }: { slots: number; pinned: readonly string[]; sampleRows: number; seed: number },
): Promise<TableCount> {
  const count = async (percent: number, half: number) =>
    slotRowSchema.parse(
      (
        await client.query(slotsSql, [
          ...[size.oid, table.column, sqlHashFunctions[table.keyType], slots],
          ...[size.tenantColumn ?? null, pinned, percent, seed + half],
        ])
      ).rows,
    );
  const share = sampleRows / Math.max(1, size.rows);
  const exact = share >= 0.5;
  const percent = 50 * share;
  const halves = exact ? [await count(100, 0)] : [await count(percent, 0), await count(percent, 1)];
  const scale = exact ? 1 : 100 / (2 * percent);
  const sums = new Map<string, { slot: number; pinned: string | undefined; n: number; width: number }>();
  for (const row of halves.flat()) {
    const key = `${row.slot}/${row.pinned ?? ''}`;
    const sum = sums.get(key) ?? { slot: row.slot, pinned: row.pinned ?? undefined, n: 0, width: 0 };
    sums.set(key, { ...sum, n: sum.n + row.n, width: sum.width + row.width });
  }
  const found = [...sums.values()];
  const width = found.reduce((sum, each) => sum + each.width, 0);
  return {
    found: {
      table: table.table,
      kind: table.kind,
      rows: Math.round(found.reduce((sum, { n }) => sum + n, 0) * scale),
      bytes: size.bytes,
      ...(!exact && { sample: sampleOf(halves, percent * 2, size.pages) }),
    },
    slots: found.map((each) => ({
      slot: each.slot,
      pinned: each.pinned,
      rows: each.n * scale,
      bytes: width === 0 ? 0 : (size.bytes * each.width) / width,
    })),
  };
}

/** How far estimates from two halves may be off. */
export function sampleOf(
  halves: readonly (readonly { slot: number; n: number }[])[],
  percent: number,
  pages: number,
): Sample {
  const differences = new Map<number, number>();
  let total = 0;
  halves.forEach((half, index) => {
    for (const { slot, n } of half) {
      total += n;
      differences.set(slot, (differences.get(slot) ?? 0) + (index === 0 ? n : -n));
    }
  });
  // The square of the difference of two independent counts is, on the average, the variance of their sum.
  let variance = 0;
  for (const difference of differences.values()) variance += difference ** 2;
  const slots = Math.max(1, differences.size);
  const slotError = total === 0 ? 1 : (nineteenOfTwenty * Math.sqrt(variance / slots)) / (total / slots);
  const totalError = nineteenOfTwenty / Math.sqrt(Math.max(1, (percent / 100) * pages));
  const inPercent = (value: number) => Math.round(Math.min(1, value) * 1e4) / 100;
  return {
    percent: Math.round(percent * 1e4) / 1e4,
    totalErrorPercent: inPercent(totalError),
    slotErrorPercent: inPercent(slotError),
  };
}

const tenantRowSchema = z.array(z.object({ tenant: z.string(), n: number }));
const tenantsSql = `SELECT tenant_id AS tenant, n FROM mainstay.count_tenants($1::oid::regclass, $2, $3, $4, $5)`;
/** Rows that are read to find the tenants that have most: they show in few. */
const tenantRows = 200_000;
/** Tenants that are named of each table. */
export const mostTenants = 20;

/** The tenants that have most rows of a table, and what part of it; empty where nothing names tenants. */
export async function countTenants(
  client: Client,
  { oid, rows, bytes, tenantColumn }: TableSize,
  seed: number,
): Promise<{ tenant: string; rows: number; bytes: number }[]> {
  if (tenantColumn === undefined || rows === 0) return [];
  const percent = Math.min(100, (100 * tenantRows) / rows);
  const found = tenantRowSchema.parse(
    (await client.query(tenantsSql, [oid, tenantColumn, percent >= 50 ? 100 : percent, seed, mostTenants]))
      .rows,
  );
  const scale = percent >= 50 ? 1 : 100 / percent;
  return found.map(({ tenant, n }) => ({
    tenant,
    rows: Math.round(n * scale),
    bytes: (bytes * n * scale) / Math.max(rows, n * scale),
  }));
}
