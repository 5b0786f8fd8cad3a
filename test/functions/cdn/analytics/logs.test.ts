import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { secondsOf } from '../../../../functions/cdn/analytics/log-time.ts';
import { Traffic } from '../../../../functions/cdn/analytics/traffic.ts';
import {
  begin,
  cloudFrontJson,
  cloudflare,
  count,
  fastly,
  plain,
  type Request,
  request,
  w3c,
} from './support/logs.ts';

const requestOf: fc.Arbitrary<Request> = fc.record({
  second: fc.integer({ min: 0, max: 3 * 3600 }),
  host: fc.constantFrom('acme.sites.example', 'other.sites.example', 'www.example'),
  path: fc.constantFrom('/', '/a.css', '/ü/%20', '/long'.repeat(30)),
  status: fc.constantFrom(0, 200, 304, 404, 503),
  bytes: fc.integer({ min: 0, max: 1e7 }),
  result: fc.constantFrom('Hit', 'Miss', 'Error'),
  edge: fc.constantFrom('FRA56-P4', 'IAD89-C1'),
  country: fc.constantFrom('DE', 'US', 'BR'),
  type: fc.constantFrom('text/html', 'image/webp'),
  ms: fc.integer({ min: 0, max: 60_000 }),
  address: fc.ipV4(),
});
const requests = fc.array(requestOf, { maxLength: 30 });

/** Traffic of some requests, counted one by one by plain arithmetic. */
function expected(all: readonly Request[]) {
  const hits = all.filter(({ result }) => result === 'Hit');
  return {
    requests: all.length,
    hits: hits.length,
    misses: all.filter(({ result }) => result === 'Miss').length,
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    hitBytes: hits.reduce((sum, { bytes }) => sum + bytes, 0),
    addresses: new Set(all.map(({ address }) => address)).size,
    server: all.filter(({ status }) => status >= 500).length,
  };
}

describe('a log of the edge', () => {
  it('gives exact totals, by hour and tenant', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        const { intervals, lines, badLines } = await count([w3c(all)]);
        expect([lines, badLines]).toEqual([all.length, 0]);
        const traffic = new Traffic();
        for (const [start, tenants] of intervals) {
          for (const [tenant, own] of tenants) {
            const which = all.filter(
              ({ second, host }) =>
                Math.floor((begin + second) / 3600) * 3600 === start &&
                (host.endsWith('.sites.example') ? host.split('.')[0] : '') === tenant,
            );
            expect(own.requests).toBe(which.length);
            traffic.merge(own);
          }
        }
        const { addresses, server, ...totals } = expected(all);
        expect(traffic).toMatchObject(totals);
        expect(traffic.statuses[5]).toBe(server);
        // It is an estimate: two of so few may fall together.
        expect(Math.abs(traffic.visitors.estimate() - addresses)).toBeLessThanOrEqual(3);
        expect(traffic.latencyMs.count).toBe(all.length);
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same however it is cut into pieces, compressed or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.boolean(),
        async (all, cuts, packed) => {
          const text = Buffer.from(w3c(all));
          const whole = packed ? Buffer.concat([gzipSync(text), gzipSync('')]) : text;
          const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort(
            (a, b) => a - b,
          );
          const pieces = places.slice(1).map((end, index) => whole.subarray(places[index], end));
          expect(plain(await count(pieces))).toEqual(plain(await count([text])));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives the same in the form of every provider, in any order of its columns, with columns more', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        const wanted = plain(await count([w3c(all)]));
        const names = (w3c([]).split('#Fields: ')[1] ?? '').trim().split(' ');
        expect(plain(await count([w3c(all, ['x-new', ...names.toReversed(), 'x-newer'])]))).toEqual(wanted);
        expect(plain(await count([cloudFrontJson(all)]))).toEqual(wanted);
        expect(plain(await count([cloudflare(all)]))).toEqual(wanted);
        expect(plain(await count([fastly(all)]))).toEqual(wanted);
      }),
      { numRuns: 30 },
    );
  });

  it('counts lines that it cannot read, and goes on', async () => {
    const log = [
      'nobody has said what the columns are\n',
      w3c([request()]),
      'cut off',
      '\n\n',
      '{"sc-status":\n{"unknown":1}\n[1]\n',
      w3c([request({ status: 999 })]).split('\n')[2],
      '\n2026-11-20\t99:99:99\n',
      `${'x'.repeat(300_000)}\n`,
      w3c([request({ second: 1 })]),
    ];
    const { lines, badLines, intervals } = await count(log.map(String));
    expect({ lines, badLines }).toEqual({ lines: 10, badLines: 8 });
    expect(intervals.get(begin)?.get('acme')?.requests).toBe(2);
  });

  it('counts paths as one whose bytes are no text', async () => {
    const log = Buffer.from(w3c(['/a%', '/b%'].map((path) => request({ path }))));
    // Neither is UTF-8, and both read the same.
    for (const [name, byte] of [
      ['/a%', 0xfe],
      ['/b%', 0xff],
    ] as const) {
      log.set([0x2f, 0x78, byte], log.indexOf(name));
    }
    const paths = (await count([log])).intervals.get(begin)?.get('acme')?.paths.top(2);
    expect(paths).toMatchObject([{ key: '/x\ufffd', count: 2 }]);
  });

  it('tells a file that is cut or damaged from one that has ended', async () => {
    const packed = gzipSync(w3c(Array.from({ length: 500 }, (_, second) => request({ second }))));
    await expect(count([packed.subarray(0, packed.length - 20)])).rejects.toThrow();
    const damaged = Buffer.from(packed);
    damaged[40] = (damaged[40] ?? 0) ^ 0xff;
    await expect(count([damaged])).rejects.toThrow();
  });

  it('leaves out what is older than what is kept, what is of the future, and requests that no viewer made', async () => {
    const log = [w3c([request(), request({ second: 100 }), request({ second: 900 })]), fastly([request()])];
    const inner = fastly([request({ second: 100 })]).replace(
      '"fastly_is_edge":true',
      '"fastly_is_edge":false',
    );
    const summary = await count([...log, inner], { oldest: begin + 50, newest: begin + 500 });
    expect(summary).toMatchObject({ lines: 5, badLines: 1, oldLines: 2, innerLines: 1, latest: begin + 100 });
  });

  it('cuts an hour where counting was started anew', async () => {
    const log = w3c([request({ second: 99 }), request({ second: 100 }), request({ second: 3_600 })]);
    const { intervals } = await count([log], { resets: [begin + 100] });
    expect([...intervals.keys()]).toEqual([begin, begin + 100, begin + 3_600]);
  });

  it('reads moments of every unit', () => {
    for (const text of [
      '1795428000',
      '1795428000.25',
      '1795428000250',
      '1795428000250000',
      '1795428000250000000',
    ]) {
      expect(secondsOf(text)).toBe(1_795_428_000);
    }
    expect(secondsOf('2026-11-23T10:00:00.25Z')).toBe(Date.parse('2026-11-23T10:00:00Z') / 1000);
    for (const text of ['', 'yesterday']) expect(secondsOf(text)).toBeNaN();
  });

  it('keeps what it counts in memory that does not grow with the number of paths', async () => {
    const all = Array.from({ length: 6_000 }, (_, index) =>
      request({ path: `/${index % 4 ? index : 'popular'}` }),
    );
    const traffic = (await count([w3c(all)])).intervals.get(begin)?.get('acme');
    traffic?.paths.shrink();
    expect(traffic?.paths.size).toBeLessThanOrEqual(1_000);
    const [top] = traffic?.paths.top(1) ?? [];
    expect(top?.key).toBe('/popular');
    expect(top?.count).toBeLessThanOrEqual(1_500);
    expect((top?.count ?? 0) + (traffic?.paths.error ?? 0)).toBeGreaterThanOrEqual(1_500);
    const bytes = traffic?.toBytes() ?? Buffer.alloc(0);
    expect(Traffic.fromBytes(bytes).toBytes()).toEqual(bytes);
  });
});
