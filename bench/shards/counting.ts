import type { Client } from 'pg';
import * as z from 'zod';
import { prepareDatabase } from '../../functions/bootstrap/prepare-database.ts';
import { analyzeShard } from '../../functions/shards/balance/analysis/analyze-shard.ts';
import type { Balance } from '../../functions/shards/balance/settings.ts';
import { sqlHashFunctions } from '../../functions/shards/hash/keys.ts';
import { databaseUsers } from '../../lib/constants.ts';
import { openConnection } from '../backup/connection.ts';
import { BenchDatabase } from '../backup/database.ts';
import { median } from '../measure/statistics.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';

const slots = 4_096;
const tenantColumn = 'tenant_id';
/** Rows of the smallest sample. */
const fewRows = 100_000;
/** COPY text of a row, about. */
const rowBytes = 24;
const table = { kind: 'content', keyType: 'int8' as const, table: 'public.posts', column: 'author' };
const settings: Balance = {
  ...{ threshold: 0.2, minImprovement: 0.02, maxMoves: 250, sampleRows: 1_000_000, maxLagSeconds: 60 },
  ...{ moveBytesPerSecond: 20_000_000, movePricePerGb: 0.05 },
  weights: { rows: {}, bytes: 1, load: 1 },
  shards: {},
};
const plainSql = `SELECT (${sqlHashFunctions.int8}(author, 0) & ${slots - 1})::integer AS slot, count(*)::float8 AS n
  FROM public.posts GROUP BY 1`;
const plainRows = z.array(z.object({ slot: z.int(), n: z.number() }));

type Counts = ReadonlyMap<number, number>;

interface Found {
  readonly counts: Counts;
  /** What part of the blocks was read, in percent, and how far slots may be off by its own account. */
  readonly sample?: { percent: number; slotErrorPercent: number } | undefined;
}

type Lane = readonly [name: string, count: () => Promise<Found>];

/** How long it takes to count a table by slot, beside plain SQL. @param sizeMb of COPY text. */
export async function measureCounting({
  sizeMb,
  rounds,
  progress,
}: {
  sizeMb: number;
  rounds: number;
  progress: (text: string) => void;
}): Promise<{ report: Report; version: string }> {
  await using stack = new AsyncDisposableStack();
  progress('shards, counting: starting PostgreSQL');
  const database = stack.adopt(await BenchDatabase.start(), (started) => started.close());
  const master = stack.adopt(await openConnection(database.socket), (client) => client.end());
  await prepareDatabase(master, 'bench', [
    { schema: 'public', table: 'posts', key: table.column, tenant: tenantColumn },
  ]);
  const rows = Math.max(1_000, Math.round((sizeMb * 1e6) / rowBytes));
  progress(`shards, counting: ${rows} rows are written`);
  await fill(master, rows);
  const stats = stack.adopt(
    await openConnection({ ...database.socket, user: databaseUsers.stats }),
    (client) => client.end(),
  );
  await stats.query('SET statement_timeout = 0');
  const lanes: Lane[] = [
    ['plain: SELECT slot, count(*) … GROUP BY 1', () => plain(master)],
    ['Mainstay: analyze, every row', () => analyze(stats, rows * 10)],
    [`Mainstay: analyze, ${settings.sampleRows} rows`, () => analyze(stats, settings.sampleRows)],
    [`Mainstay: analyze, ${fewRows} rows`, () => analyze(stats, fewRows)],
  ];
  const seconds = new Map<string, number[]>();
  const found = new Map<string, Found>();
  // In the first round the table comes into memory.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, count] of lanes) {
      progress(`shards, counting, round ${round} of ${rounds}: ${name}`);
      const started = performance.now();
      found.set(name, await count());
      const took = (performance.now() - started) / 1000;
      if (round > 0) seconds.set(name, [...(seconds.get(name) ?? []), took]);
    }
  }
  return { report: reportOf({ rows, rounds, lanes, seconds, found }), version: database.version };
}

/** Authors have as many posts as people have: few very many. */
async function fill(client: Client, rows: number): Promise<void> {
  await client.query('CREATE TABLE public.posts (id bigint, author bigint, tenant_id text)');
  await client.query('SELECT setseed(0.5)');
  await client.query(
    `INSERT INTO public.posts
       SELECT n, 1 + floor($1::float8 * power(random(), 2))::bigint, 't-' || n % 50 FROM generate_series(1, $2::bigint) AS n`,
    [Math.ceil(rows / 20), rows],
  );
  await client.query('VACUUM (FREEZE, ANALYZE) public.posts');
  await client.query('CHECKPOINT');
}

async function plain(client: Client): Promise<Found> {
  const rows = plainRows.parse((await client.query(plainSql)).rows);
  return { counts: new Map(rows.map(({ slot, n }) => [slot, n])) };
}

async function analyze(client: Client, sampleRows: number): Promise<Found> {
  const on = { instance: 'bench-1', role: 'writer' as const, client };
  const { found, slots: counted } = await analyzeShard(on, [on], {
    counted: { tables: [table], tenantColumn, tenantColumns: {}, pinnedTenants: [] },
    balance: { ...settings, sampleRows },
    ...{ slots, earlier: [], run: 'bench', now: Date.now },
  });
  const [first] = found.tables;
  if (first === undefined) throw new Error(`Nothing was counted: ${JSON.stringify(found.missing)}`);
  return { counts: new Map(counted.map(({ slot, rows: [n = 0] }) => [slot, n])), sample: first.sample };
}

interface Results {
  readonly rows: number;
  readonly rounds: number;
  readonly lanes: readonly Lane[];
  readonly seconds: ReadonlyMap<string, number[]>;
  readonly found: ReadonlyMap<string, Found>;
}

function reportOf({ rows, rounds, lanes, seconds, found }: Results): Report {
  const names = lanes.map(([name]) => name);
  const [bare = ''] = names;
  const secondsOf = (name: string) => median(seconds.get(name) ?? []);
  const truth = found.get(bare)?.counts ?? new Map();
  return {
    title: 'Analysis: rows of a table by slot',
    setting: [
      `${rows} rows with ${truth.size} slots among them, in memory; median of ${rounds} rounds, in turn.`,
      'Mainstay also weighs each row, finds the largest tenants, and reads sizes and counters; of a sample it says how far slots may be off.',
    ],
    columns: [
      { title: 'Counted by' },
      { title: 's', align: 'right' },
      { title: 'of plain', align: 'right' },
      { title: 'read', align: 'right' },
      { title: 'slots off by', align: 'right' },
      { title: 'said', align: 'right' },
    ],
    rows: names.map((name) => {
      const { counts, sample } = found.get(name) ?? { counts: new Map() };
      return [
        name,
        number(secondsOf(name), 2),
        number(secondsOf(name) / secondsOf(bare), 2),
        ...[percent(sample?.percent ?? 100, 1), percent(offBy(counts, truth), 1)],
        sample === undefined ? undefined : percent(sample.slotErrorPercent, 1),
      ];
    }),
    findings: names.slice(1).map((name) => {
      const share = secondsOf(name) / secondsOf(bare);
      return `${name}: ${share.toFixed(2)}× the time of a plain GROUP BY${share > 1.03 ? '; we lose' : ''}.`;
    }),
  };
}

/** Nineteen of twenty slots are nearer to the truth than this, in percent of the average slot. */
function offBy(counts: Counts, truth: Counts): number {
  const average = [...truth.values()].reduce((sum, n) => sum + n, 0) / Math.max(1, truth.size);
  const errors = [...truth].map(([slot, n]) => Math.abs((counts.get(slot) ?? 0) - n) / average);
  return 100 * (errors.sort((a, b) => a - b)[Math.floor(0.95 * (errors.length - 1))] ?? 0);
}

const percent = (value: number, digits: number) => ({ value, text: `${value.toFixed(digits)} %` });
