import * as z from 'zod';
import type { Balance, Counted } from '../settings.ts';
import { type Client, countTable, countTenants, mostTenants, sizeOf, type TableSize } from './count-table.ts';
import { type Activity, pinnedSlot, type ShardFound, type SlotFound, type TenantFound } from './model.ts';

/** An open connection to one instance of a shard. */
export interface Connected {
  readonly instance: string;
  readonly role: 'writer' | 'reader';
  readonly client: Client;
}

const databaseSchema = z.object({ bytes: z.coerce.number(), seconds: z.coerce.number().positive() });
const databaseSql = `SELECT pg_database_size(current_database()) AS bytes,
       greatest(1, extract(epoch FROM now() - coalesce(stats_reset, pg_postmaster_start_time()))) AS seconds
  FROM pg_stat_database WHERE datname = current_database()`;

/** From counters that are closer together than this nothing is told, in milliseconds. */
const leastIntervalMs = 60_000;

/**
 * Counts what a shard's tables have by slot, without changing anything.
 *
 * What the server did for a slot nobody knows: the tuples that it read and wrote by table are divided among the table's slots as
 * its rows are. They are those of all instances that answer, since the counters that an earlier analysis saw.
 *
 * @param on where rows are counted.
 * @param instances whose counters are added up.
 */
export async function analyzeShard(
  on: Connected,
  instances: readonly Connected[],
  {
    counted,
    balance,
    slots,
    earlier,
    run,
    now,
  }: {
    counted: Counted;
    balance: Balance;
    slots: number;
    /** What counters said the last time. */
    earlier: readonly Activity[];
    run: string;
    now: () => number;
  },
): Promise<{ found: Omit<ShardFound, 'parts'>; slots: SlotFound[] }> {
  const started = now();
  const kinds = [...new Set(counted.tables.map(({ kind }) => kind))];
  const { bytes: databaseBytes } = await databaseOf(on.client);
  const read = await Promise.all(instances.map((each) => activityOf(each, counted, now())));
  const tables: ShardFound['tables'] = [];
  const missing: ShardFound['missing'] = [];
  const bySlot = new Map<number, SlotFound>();
  const tenants = new Map<string, TenantFound>();
  const slotAt = (slot: number): SlotFound => {
    const found = bySlot.get(slot) ?? { slot, rows: kinds.map(() => 0), bytes: 0, loadPerSecond: 0 };
    bySlot.set(slot, found);
    return found;
  };
  for (const table of counted.tables) {
    try {
      const size = await sizeOf(on.client, table, counted);
      if (size === undefined) {
        missing.push({ table: table.table, reason: 'there is no such table' });
        continue;
      }
      const seed = 1;
      const { found, slots: counts } = await countTable(on.client, table, size, {
        ...{ slots, seed, pinned: counted.pinnedTenants, sampleRows: balance.sampleRows },
      });
      const loadPerSecond = read.reduce(
        (sum, { activity, seconds }) => sum + rateOf(table.table, activity, earlier, seconds),
        0,
      );
      tables.push({ ...found, loadPerSecond });
      const kind = kinds.indexOf(table.kind);
      for (const { slot, pinned, rows, bytes } of counts) {
        const into = slotAt(pinned === undefined ? slot : pinnedSlot);
        into.rows[kind] = (into.rows[kind] ?? 0) + rows;
        into.bytes += bytes;
        into.loadPerSecond += found.rows === 0 ? 0 : (loadPerSecond * rows) / found.rows;
      }
      await addTenants(on.client, size, table.kind, counted, tenants, seed);
    } catch (error) {
      missing.push({ table: table.table, reason: messageOf(error).slice(0, 300) });
    }
  }
  return {
    found: {
      ...{ run, at: new Date(started).toISOString(), durationMs: Math.round(now() - started) },
      ...{ instance: on.instance, role: on.role, databaseBytes, kinds, tables, missing },
      tenants: [...tenants.values()]
        .sort((a, b) => b.bytes - a.bytes || (a.tenant < b.tenant ? -1 : 1))
        .slice(0, mostTenants),
      activities: read.map(({ activity }) => activity),
    },
    slots: [...bySlot.values()].sort((a, b) => a.slot - b.slot),
  };
}

async function databaseOf(client: Client): Promise<z.output<typeof databaseSchema>> {
  return databaseSchema.parse((await client.query(databaseSql)).rows[0]);
}

async function addTenants(
  client: Client,
  size: TableSize,
  kind: string,
  { pinnedTenants }: Counted,
  tenants: Map<string, TenantFound>,
  seed: number,
): Promise<void> {
  for (const { tenant, rows, bytes } of await countTenants(client, size, seed)) {
    const known = tenants.get(tenant);
    tenants.set(tenant, {
      tenant,
      rows: { ...known?.rows, [kind]: (known?.rows[kind] ?? 0) + rows },
      bytes: (known?.bytes ?? 0) + bytes,
      pinned: pinnedTenants.includes(tenant),
    });
  }
}

async function activityOf({ client, instance }: Connected, counted: Counted, now: number) {
  const { seconds } = await databaseOf(client);
  const tuples: Record<string, number> = {};
  for (const table of counted.tables) {
    const size = await sizeOf(client, table, counted);
    if (size !== undefined) tuples[table.table] = size.tuples;
  }
  const activity: Activity = { instance, at: new Date(now).toISOString(), tuples };
  return { activity, seconds };
}

/**
 * Tuples of a table that an instance read and wrote a second: since the last analysis or, where its counters began anew
 * or nobody looked before, since they began.
 */
export function rateOf(
  table: string,
  { instance, at, tuples }: Activity,
  earlier: readonly Activity[],
  secondsSinceReset: number,
): number {
  const current = tuples[table] ?? 0;
  const before = earlier.find((each) => each.instance === instance);
  const known = before?.tuples[table];
  const elapsedMs = before === undefined ? 0 : Date.parse(at) - Date.parse(before.at);
  if (known !== undefined && known <= current && elapsedMs >= leastIntervalMs) {
    return ((current - known) * 1000) / elapsedMs;
  }
  return current / secondsSinceReset;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
