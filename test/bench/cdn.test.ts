import { describe, expect, it } from '@jest/globals';
import { type Counted, differenceFrom, firstOf } from '../../bench/cdn/counted.ts';
import { logChunks } from '../../bench/cdn/log-lines.ts';
import { LogAccumulator } from '../../functions/cdn/analytics/accumulator.ts';
import { Traffic } from '../../functions/cdn/analytics/traffic.ts';

const websites = { patterns: [], hosts: {}, distributionTenants: {} };
const lines = 60_000;

/** As an exact tool counts them. */
function exactly(text: string): Counted {
  const paths = new Map<string, number>();
  const counted = { requests: 0, bytes: 0, hits: 0, misses: 0, serverErrors: 0, pathError: 0 };
  for (const line of text.split('\n')) {
    const fields = line.split('\t');
    if (fields.length < 33) continue;
    const [path = '', status = '', result] = [fields[7], fields[8], fields[13]];
    counted.requests += 1;
    counted.bytes += Number(fields[3]);
    counted.hits += result === 'Hit' ? 1 : 0;
    counted.misses += result === 'Miss' ? 1 : 0;
    counted.serverErrors += status >= '500' ? 1 : 0;
    paths.set(path, (paths.get(path) ?? 0) + 1);
  }
  return { ...counted, paths: firstOf([...paths]) };
}

function ours(text: string): Counted {
  const accumulator = new LogAccumulator({ websites, resets: [], oldest: 0, newest: 2 ** 40 });
  accumulator.add(Buffer.from(text));
  const all = new Traffic();
  for (const byTenant of accumulator.finish().intervals.values()) {
    for (const traffic of byTenant.values()) all.merge(traffic);
  }
  const { requests, bytes, hits, misses, statuses, paths } = all;
  const first = paths.top(100).map(({ key, count }): [string, number] => [key, count]);
  return {
    requests,
    bytes,
    hits,
    misses,
    serverErrors: statuses[5] ?? 0,
    paths: first,
    pathError: paths.error,
  };
}

describe('counting logs beside others', () => {
  const text = [...logChunks(lines)].join('');
  const exact = exactly(text);

  it('comes to the same totals, and to the same first paths within the bound that it states', () => {
    const own = ours(text);
    expect(own.requests).toBe(lines);
    // Far more paths than are kept, and an error that is a small part of what the bound allows.
    expect(own.pathError).toBeGreaterThan(0);
    expect(own.pathError).toBeLessThan(lines / 1_000);
    expect(differenceFrom(exact, own)).toBeUndefined();
  });

  it('is refused where it comes to something else', () => {
    const [[path, count] = ['', 0], ...rest] = exact.paths;
    expect(differenceFrom(exact, { ...exact, hits: exact.hits + 1 })).toContain('hits');
    expect(differenceFrom(exact, { ...exact, paths: [[path, count - 1], ...rest] })).toContain(path);
    expect(
      differenceFrom(exact, { ...exact, paths: [[path, count - 1], ...rest], pathError: 1 }),
    ).toBeUndefined();
    expect(differenceFrom(exact, { ...exact, paths: rest })).toContain('99 paths');
  });
});
