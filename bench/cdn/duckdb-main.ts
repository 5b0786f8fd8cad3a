import { createRequire } from 'node:module';
import * as z from 'zod';
import { type Counted, firstOf } from './counted.ts';
import { fields } from './log-lines.ts';

interface Connection {
  runAndReadAll(sql: string): Promise<{ getRowsJson(): unknown }>;
}
interface DuckDb {
  readonly DuckDBInstance: {
    create(path: string, options: Record<string, string>): Promise<{ connect(): Promise<Connection> }>;
  };
}

/* Counts one log with DuckDB in this process, on one thread, and prints what it found. It is looked for in NODE_PATH as well. */
const moduleSchema = z.custom<DuckDb>((found) => typeof found === 'object' && found !== null);
const { DuckDBInstance } = moduleSchema.parse(createRequire(import.meta.url)('@duckdb/node-api'));
const database = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await database.connect();
const started = performance.now();
const [, , path = '', figures = ''] = process.argv;
const names = fields.split(' ');
const types: Record<string, string> = {
  'sc-bytes': 'BIGINT',
  'sc-status': 'SMALLINT',
  'time-taken': 'DOUBLE',
};
const columns = names.map((name) => `'${name}': '${types[name] ?? 'VARCHAR'}'`).join(', ');
const log = `read_csv('${path.replaceAll("'", "''")}', delim = '\\t', header = false, skip = 2, quote = '', escape = '', auto_detect = false, columns = {${columns}})`;
const counts = `count(*)::INTEGER, sum("sc-bytes")::DOUBLE, count(*) FILTER ("x-edge-result-type" = 'Hit')::INTEGER,
  count(*) FILTER ("x-edge-result-type" = 'Miss')::INTEGER, count(*) FILTER ("sc-status" >= 500)::INTEGER`;
const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson();

/** What all count, in one scan. */
const least = () =>
  rowsOf(
    `SELECT coalesce("cs-uri-stem", ''), ${counts} FROM ${log} GROUP BY GROUPING SETS (("cs-uri-stem"), ())`,
  );

/** What Mainstay counts as well: by the hour, and visitors and latencies by sketch; from a table that the one scan of the file makes. */
async function all(): Promise<unknown> {
  await rowsOf(`CREATE TEMP TABLE log AS SELECT time[1:2] AS hour, hash("c-ip", "cs(User-Agent)") AS visitor, "time-taken",
    "cs-uri-stem", "x-edge-location", "sc-content-type", "sc-bytes", "x-edge-result-type", "sc-status" FROM ${log}`);
  await rowsOf(`SELECT hour, "cs-uri-stem", "x-edge-location", "sc-content-type", ${counts} FROM log
    GROUP BY GROUPING SETS ((hour, "cs-uri-stem"), (hour, "x-edge-location"), (hour, "sc-content-type"), (hour, floor("sc-status" / 100)))`);
  await rowsOf(
    `SELECT hour, approx_count_distinct(visitor), approx_quantile("time-taken", [0.5, 0.95, 0.99]) FROM log GROUP BY hour`,
  );
  return rowsOf(
    `SELECT coalesce("cs-uri-stem", ''), ${counts} FROM log GROUP BY GROUPING SETS (("cs-uri-stem"), ())`,
  );
}

const rowSchema = z.tuple([z.string(), ...([z.int(), z.number(), z.int(), z.int(), z.int()] as const)]);
const rows = z.array(rowSchema).parse(await (figures === 'all' ? all() : least()));
const total = rows.find(([key]) => key === '');
if (total === undefined) throw new Error('DuckDB has found no total.');
const [, requests, bytes, hits, misses, serverErrors] = total;
const byPath = rows.filter(([key]) => key !== '').map(([key, count]) => [key, count] as const);
const counted: Counted = {
  ...{ requests, bytes, hits, misses, serverErrors, paths: firstOf(byPath), pathError: 0 },
  seconds: (performance.now() - started) / 1000,
};
console.log(JSON.stringify(counted));
