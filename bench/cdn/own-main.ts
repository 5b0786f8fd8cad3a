import { createReadStream } from 'node:fs';
import { LogAccumulator } from '../../functions/cdn/analytics/accumulator.ts';
import { readLog } from '../../functions/cdn/analytics/read-log.ts';
import { Traffic } from '../../functions/cdn/analytics/traffic.ts';
import type { Counted } from './counted.ts';

/* Counts one log with the modules of the function that does, and prints what it found. */
const started = performance.now();
const websites = { patterns: [], hosts: {}, distributionTenants: {} };
const accumulator = new LogAccumulator({ websites, resets: [], oldest: 0, newest: 2 ** 40 });
await readLog(createReadStream(process.argv[2] ?? '', { highWaterMark: 256 * 1024 }), accumulator);
const all = new Traffic();
for (const byTenant of accumulator.finish().intervals.values()) {
  for (const traffic of byTenant.values()) all.merge(traffic);
}
const counted: Counted = {
  ...{ requests: all.requests, bytes: all.bytes, hits: all.hits, misses: all.misses },
  serverErrors: all.statuses[5] ?? 0,
  paths: all.paths.top(100).map(({ key, count }) => [key, count]),
  pathError: all.paths.error,
  seconds: (performance.now() - started) / 1000,
};
console.log(JSON.stringify(counted));
