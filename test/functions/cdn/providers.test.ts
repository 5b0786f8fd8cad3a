import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { abilitiesOf, requireAble, supportedBy } from '../../../functions/cdn/providers/abilities.ts';
import { observe } from '../../../functions/cdn/providers/cache-status.ts';
import { retryAfterMs } from '../../../functions/cdn/providers/https-api.ts';
import { normalisePath, normalisePrefix, normaliseTag } from '../../../functions/cdn/providers/normalise.ts';
import { Pace } from '../../../functions/cdn/providers/pace.ts';
import { needsOf, noItems, planCalls } from '../../../functions/cdn/providers/plan-calls.ts';
import type { EdgeProvider, PurgeItems } from '../../../functions/cdn/providers/provider.ts';
import { cloudflarePlans } from '../../../functions/cdn/providers/settings.ts';
import { coalesce } from '../../../functions/cdn/purge/coalesce.ts';
import { domain, start, type World } from './support/worlds.ts';

/** What each is told of the same purge. */
const told = {
  cloudfront: {
    paths: ['/a.png', '/b.png?x=1'],
    tags: ['#product:1'],
    everything: ['/*'],
    own: '/distribution/OWN/',
  },
  cloudflare: {
    paths: [`files https://${domain}/a.png`, `files https://${domain}/b.png?x=1`],
    tags: ['tags product:1'],
    everything: ['purge_everything'],
    own: '/zones/OWN/',
  },
  fastly: {
    paths: [`url ${domain}/a.png`, `url ${domain}/b.png?x=1`],
    tags: ['key product:1'],
    everything: ['everything'],
    own: '/service/OWN/',
  },
};

describe.each(['cloudfront', 'cloudflare', 'fastly'] as const)('%s', (kind) => {
  let world: World;
  afterEach(() => world.server.stop());

  it('purges what it is told, says when that is done, and how it stands', async () => {
    world = await start[kind]();
    const { provider, server } = world;
    const target = await provider.target({});
    expect(target).toMatchObject({ domain, shared: false });
    for (const [name, items] of [
      ['paths', { ...noItems, paths: ['/a.png', '/b.png?x=1'] }],
      ['tags', { ...noItems, tags: ['product:1'] }],
      ['everything', { ...noItems, everything: true }],
    ] as const) {
      const made = await provider.submit(target, items, false, `purge-${name}`);
      expect([...server.purged].sort()).toEqual([...told[kind][name]].sort());
      expect(made.completed || (await provider.isCompleted(target, made.id))).toBe(kind !== 'cloudfront');
      expect(await provider.status()).toMatchObject({ enabled: true, domain });
      server.complete();
      expect(await provider.isCompleted(target, made.id)).toBe(true);
      server.purged.length = 0;
    }
    const own = await provider.target({ tenant: 'solo' });
    await provider.submit(own, { ...noItems, everything: true }, false, 'own');
    expect(server.requests.at(-1)).toContain(told[kind].own);
  });

  it('tells apart what is to be waited for, what is wrong, and what answers nothing; and opens its breaker', async () => {
    world = await start[kind]();
    const { provider, server, clock } = world;
    const target = await provider.target({});
    const items = { ...noItems, paths: ['/a'] };
    const submit = () => provider.submit(target, items, false, 'once');
    server.trouble.push('throttled');
    await expect(submit()).rejects.toMatchObject({
      name: 'ProviderThrottledError',
      retryAfterMs: expect.any(Number),
    });
    server.trouble.push('refused');
    const refused = await submit().catch((error: Error) => error);
    expect(refused).toMatchObject({ name: 'ProviderRefusedError' });
    expect(String(refused)).not.toContain('the-token');
    // Of its attempts, those that meet an answer that is none, or no answer, are made again.
    if (kind !== 'cloudfront') {
      server.trouble.push('cut', 'nonsense');
      await submit();
      server.trouble.push('down');
      await submit();
    }
    for (let sent = 0; sent < 5; sent++) server.trouble.push(sent % 2 === 0 ? 'down' : 'cut');
    const before = server.requests.length;
    const names: string[] = [];
    for (let round = 0; round < 6; round++) await submit().catch(({ name }: Error) => names.push(name));
    expect(names.at(0)).toBe('ProviderUnreachableError');
    expect(names.at(-1)).toBe('BreakerOpenError');
    expect(server.requests.length - before).toBe(5);
    clock.now += 60_000;
    await submit();
    expect(await provider.status()).toMatchObject({ enabled: true });
  });
});

describe('providers', () => {
  it('know websites: by the host, by the tenant, and none that is of another', async () => {
    const front = await start.cloudfront();
    expect(await front.provider.target({ website: 'shop.example.com' })).toMatchObject({
      ...{ kind: 'distribution-tenant', id: 'dt_shop', shared: true },
    });
    const target = await front.provider.target({ tenant: 'acme' });
    expect(target).toMatchObject({ id: 'dt_shop', domain: 'shop.example.com' });
    const made = await front.provider.submit(target, { ...noItems, prefixes: ['/blog'] }, false, 'tenant');
    expect(front.server.requests.at(-1)).toBe('POST /2020-05-31/distribution-tenant/dt_shop/invalidation');
    expect(front.server.purged).toEqual(['/blog*']);
    // The same reference again is the same invalidation.
    expect(await front.provider.submit(target, { ...noItems, prefixes: ['/blog'] }, false, 'tenant')).toEqual(
      made,
    );
    expect(front.server.purged).toHaveLength(1);
    await expect(front.provider.target({ website: 'who.example.org' })).rejects.toThrow('no website');
    await front.server.stop();

    const flare = await start.cloudflare();
    const host = await flare.provider.target({ website: 'shop.example.com' });
    await flare.provider.submit(host, { ...noItems, everything: true }, false, 'x');
    await flare.provider.submit(host, { ...noItems, prefixes: ['/blog/'] }, false, 'y');
    expect(flare.server.purged).toEqual(['hosts shop.example.com', 'prefixes shop.example.com/blog/']);
    await expect(flare.provider.target({ tenant: 'acme' })).rejects.toThrow('no website');
    await flare.server.stop();

    const fastly = await start.fastly();
    const site = await fastly.provider.target({ website: 'shop.example.com' });
    await fastly.provider.submit(site, { ...noItems, tags: ['k'] }, true, 'z');
    expect(fastly.server.purged).toEqual(['soft key k']);
    await expect(
      fastly.provider.submit(site, { ...noItems, everything: true }, false, 'w'),
    ).rejects.toMatchObject({ name: 'NotSupportedError' });
    await fastly.server.stop();
  });

  it('refuse what they cannot do, naming the field', () => {
    const ask = (kind: EdgeProvider['kind'], items: Partial<PurgeItems>, more = {}) => {
      try {
        requireAble(kind, abilitiesOf[kind], { ...noItems, ...items }, { soft: false, site: false, ...more });
        return 'able';
      } catch (error) {
        return error instanceof Error && 'field' in error ? error.field : error;
      }
    };
    expect(ask('fastly', { prefixes: ['/a/'] })).toBe('prefixes');
    expect(ask('cloudflare', { prefixes: ['/a'] })).toBe('prefixes');
    expect(ask('cloudflare', { prefixes: ['/a/'] })).toBe('able');
    expect(ask('cloudfront', { paths: ['/a'] }, { soft: true })).toBe('soft');
    expect(ask('fastly', { everything: true }, { soft: true })).toBe('soft');
    expect(ask('fastly', { everything: true }, { site: true })).toBe('website');
    expect(supportedBy(abilitiesOf.fastly)).toEqual(['paths', 'tags', 'everything', 'soft']);
  });

  it('keep to the rate of a plan, and read every form of "not now"', () => {
    let now = 0;
    const pace = new Pace(cloudflarePlans.free, () => now);
    for (let sent = 0; sent < 25; sent++) pace.take();
    expect(() => pace.take()).toThrow(expect.objectContaining({ retryAfterMs: 12_000 }));
    now += 12_000;
    pace.take();
    const pause = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), 1_000_000);
    expect(pause({ 'retry-after': '7' })).toBe(7_000);
    expect(pause({ 'retry-after': new Date(1_005_000).toUTCString() })).toBe(5_000);
    expect(pause({ 'fastly-ratelimit-reset': '1009' })).toBe(9_000);
    expect(pause({ 'retry-after': 'soon' })).toBe(30_000);
    expect(pause({ 'retry-after': '999999' })).toBe(600_000);
  });

  it.each([
    [
      'cloudfront',
      { 'x-cache': 'Hit from cloudfront', 'x-amz-cf-pop': 'FRA50-C1', age: '12' },
      'hit',
      'FRA50-C1',
    ],
    [
      'cloudfront',
      { 'x-cache': 'RefreshHit from cloudfront', 'x-amz-cf-pop': 'FRA50-C1' },
      'miss',
      'FRA50-C1',
    ],
    ['cloudfront', { 'x-cache': 'Error from cloudfront' }, 'unknown', null],
    ['cloudflare', { 'cf-cache-status': 'HIT', 'cf-ray': '8c1a2b3c4d5e6f70-TXL' }, 'hit', 'TXL'],
    ['cloudflare', { 'cf-cache-status': 'DYNAMIC' }, 'unknown', null],
    ['fastly', { 'x-cache': 'HIT, MISS', 'x-served-by': 'cache-iad-1-IAD, cache-ham-2-HAM' }, 'miss', 'HAM'],
  ] as const)('tell from the headers of %s whether it was cached: %j', (kind, headers, cache, location) => {
    const all = new Map<string, string>(Object.entries(headers));
    expect(observe(kind, (name) => all.get(name))).toMatchObject({ cache, location });
  });
});

describe('what is purged', () => {
  it('has one spelling', () => {
    const spelled = (path: string) => normalisePath(path, 'kept');
    expect(spelled('/ä b~%7e%2f%c3%a4.png?q=ä&r=%41')).toBe('/%C3%A4%20b~~%2F%C3%A4.png?q=%C3%A4&r=A');
    expect(normalisePath('/a?x=1', 'ignored')).toBe('/a');
    expect(normalisePrefix('/blog/*')).toBe('/blog/');
    expect(normaliseTag('product:1')).toBe('product:1');
    for (const path of [
      ...['', 'a', '//evil.example/a', '/a\n', '/a%0d%0aX', '/a\\b', '/a#b', '/a*', '/a/../b', '/a/%2e%2e/b'],
      ...['/%zz', '/%', '/%ff', '/%c2%85', '/a\u2028', '/\ud800', `/${'a'.repeat(4_000)}`],
    ]) {
      expect(() => spelled(path)).toThrow();
    }
    for (const tag of ['', 'a b', 'a,b', 'ä', 'a'.repeat(257)]) expect(() => normaliseTag(tag)).toThrow();
    expect(() => normalisePrefix('/a?b*')).toThrow();
  });

  it('is spelled the same when it is spelled again, and can break out of nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        let once: string;
        try {
          once = normalisePath(`/${text}`, 'kept');
        } catch {
          return;
        }
        expect(normalisePath(once, 'kept')).toBe(once);
        expect(once).toMatch(/^\/(?!\/)[\x21-\x7e]*$/);
        expect(new URL(`https://${domain}${once}`).host).toBe(domain);
      }),
    );
  });

  it('is the same after it was coalesced and divided, within the limits, and never twice', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 })
      .map((parts) => `/${parts.join('/')}`);
    const items = fc.record({
      paths: fc.array(path, { maxLength: 30 }),
      prefixes: fc.array(path, { maxLength: 6 }),
      tags: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 5 }),
      everything: fc.constant(false),
    });
    const covers = ({ paths, prefixes, everything }: PurgeItems, one: string) =>
      everything || paths.includes(one) || prefixes.some((prefix) => one.startsWith(prefix));
    const perCall = { paths: 4, prefixes: 2, tags: 2 };
    fc.assert(
      fc.property(items, path, (asked, one) => {
        const least = coalesce(asked);
        expect(covers(least, one)).toBe(covers(asked, one));
        expect(least.tags).toEqual([...new Set(asked.tags)].sort());
        const calls = planCalls(least, { perCall });
        for (const call of calls) {
          const { paths, prefixes } = needsOf(call);
          expect(paths <= 4 && prefixes <= 2).toBe(true);
        }
        expect(calls.flatMap((call) => [...call.prefixes, ...call.tags, ...call.paths])).toEqual([
          ...[...least.prefixes, ...least.tags, ...least.paths],
        ]);
      }),
    );
    expect(coalesce({ ...noItems, paths: ['/a'], prefixes: ['/'] })).toEqual({
      ...noItems,
      everything: true,
    });
  });
});
