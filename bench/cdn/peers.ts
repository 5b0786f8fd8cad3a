import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as z from 'zod';
import { versionOf } from '../measure/tools.ts';
import { type Counted, countedSchema, firstOf } from './counted.ts';

/** Somebody who counts a log. */
export interface Lane {
  readonly name: string;
  /** What it counts beside what all do. */
  readonly also: string;
  /** The command of the shell for a file. */
  readonly command: (file: string) => string;
  /** Reads what it has printed. */
  readonly read: (stdout: string) => Counted | undefined;
}

const readJson = (stdout: string): Counted => countedSchema.parse(JSON.parse(stdout));
const node = (script: string) => `'${process.execPath}' '${join(import.meta.dirname, script)}'`;

export const own: Lane = {
  name: 'Mainstay: the ingest function’s own modules',
  also: 'hours; hits and bytes of each path, country, location and type; visitors, latencies',
  command: (file) => `${node('own-main.ts')} '${file}'`,
  read: readJson,
};

/** @param figures `all`: also what Mainstay counts beyond what all do. */
const duckdb = (figures: 'least' | 'all'): Lane => ({
  name: figures === 'all' ? 'DuckDB, one thread, the same figures' : 'DuckDB, one thread',
  also: figures === 'all' ? 'the same, exact but for visitors and latencies' : 'nothing',
  command: (file) => `${node('duckdb-main.ts')} '${file}' ${figures}`,
  read: readJson,
});

/** By columns of the 33: 4 is bytes, 8 path, 9 status, 14 what the cache did. Numbers of awk are exact up to 2^53. */
const program = `!/^#/ { requests++; bytes += $4; if ($14 == "Hit") hits++; else if ($14 == "Miss") misses++; if ($9 >= 500) errors++; paths[$8]++ }
END { printf "%d %.0f %d %d %d\\n", requests, bytes, hits, misses, errors; for (path in paths) print paths[path] " " path }`;

const awk = (name: string): Lane => ({
  name,
  also: 'nothing',
  command: (file) =>
    file.endsWith('.gz')
      ? `gzip -dc '${file}' | LC_ALL=C ${name} -F '\t' '${program}'`
      : `LC_ALL=C ${name} -F '\t' '${program}' '${file}'`,
  read: (stdout) => {
    const [totals = '', ...lines] = stdout.trimEnd().split('\n');
    const [requests = 0, bytes = 0, hits = 0, misses = 0, serverErrors = 0] = totals.split(' ').map(Number);
    const paths = lines.map((line): [string, number] => {
      const [count = '', path = ''] = line.split(' ');
      return [path, Number(count)];
    });
    return { requests, bytes, hits, misses, serverErrors, paths: firstOf(paths), pathError: 0 };
  },
});

const goaccessSchema = z.object({
  general: z.object({ total_requests: z.int(), failed_requests: z.int(), bandwidth: z.int() }),
});

/** It knows CloudFront's format, and neither what the cache did nor exact counts of the paths that it prints. */
const goaccess: Lane = {
  name: 'GoAccess',
  also: 'days, visitors, files, browsers, systems, referrers, hours',
  command: (file) => {
    const flags = '--no-global-config --log-format=CLOUDFRONT --no-progress --no-query-string -o json';
    return file.endsWith('.gz') ? `gzip -dc '${file}' | goaccess - ${flags}` : `goaccess '${file}' ${flags}`;
  },
  read: (stdout) => {
    const { general } = goaccessSchema.parse(JSON.parse(stdout));
    if (general.failed_requests > 0)
      throw new Error(`GoAccess could not read ${general.failed_requests} lines.`);
    return undefined;
  },
};

/** Those that are installed, with their versions; and how to come by the others. */
export async function findPeers(): Promise<{ lanes: Lane[]; versions: string[]; missing: string[] }> {
  const found = [
    [
      [duckdb('all'), duckdb('least')],
      duckdbVersion(),
      'npm install --prefix /tmp/duckdb @duckdb/node-api, and NODE_PATH=/tmp/duckdb/node_modules',
    ],
    [[awk('mawk')], await versionOf('mawk', '-Wversion'), 'apt-get install mawk'],
    [[awk('gawk')], await versionOf('gawk'), 'apt-get install gawk'],
    [[goaccess], await versionOf('goaccess'), 'apt-get install goaccess'],
  ] as const;
  return {
    lanes: found.flatMap(([lanes, version]) => (version === undefined ? [] : lanes)),
    versions: found.flatMap(([, version]) => version ?? []),
    missing: found.flatMap(([[lane], version, how]) =>
      version === undefined ? [`${lane.name}: ${how}`] : [],
    ),
  };
}

function duckdbVersion(): string | undefined {
  try {
    const found: unknown = createRequire(import.meta.url)('@duckdb/node-api');
    const { version } = z
      .object({ version: z.custom<() => string>((it) => typeof it === 'function') })
      .parse(found);
    return `DuckDB ${version()}`;
  } catch {
    return undefined;
  }
}
