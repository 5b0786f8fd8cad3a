import { generateKeyPairSync } from 'node:crypto';
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { assetHandlers } from '../../../functions/cdn/assets/assets-api.ts';
import { cacheBodySchema, urlQuerySchema } from '../../../functions/cdn/assets/model.ts';
import { urlSigner } from '../../../functions/cdn/assets/sign-url.ts';
import { CloudFront } from '../../../functions/cdn/providers/cloudfront.ts';
import { EdgeClient } from '../../../functions/cdn/providers/edge-client.ts';
import { noItems } from '../../../functions/cdn/providers/plan-calls.ts';
import type { EdgeProvider } from '../../../functions/cdn/providers/provider.ts';
import { providerSettingsSchema } from '../../../functions/cdn/providers/settings.ts';
import { CircuitBreaker } from '../../../functions/shared/circuit-breaker.ts';
import { startEdge as startLocalEdge } from '../../local/cloudfront/fixture.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startEdge } from './support/edge-server.ts';
import { domain, start } from './support/worlds.ts';

/** A provider with an edge that is asked for content. */
interface Front {
  readonly provider: EdgeProvider;
  /** Where its content is asked for, and by what name. */
  readonly edgeUrl: string;
  readonly domain: string;
  /** Lets what was purged be gone. */
  readonly forget: () => void;
  /** Makes the provider answer nothing. */
  readonly break: () => void;
  readonly breaker: CircuitBreaker;
  readonly sign?: ReturnType<typeof urlSigner>;
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
const breaker = () => new CircuitBreaker('it');
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = async () => pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

async function provided(kind: EdgeProvider['kind']): Promise<Front> {
  const { provider, server } = await start[kind]();
  const edge = await startEdge({ kind });
  stops.push(edge.stop, server.stop);
  return {
    ...{ provider, domain, edgeUrl: edge.url, breaker: breaker(), break: () => server.trouble.push(...down) },
    forget: () => {
      server.complete();
      edge.forget();
    },
  };
}
const down = Array.from({ length: 12 }, () => 'down' as const);

/** The edge of `npm start`, by the SDK and over HTTP as the function reaches it. */
async function local(): Promise<Front> {
  const edge = await startLocalEdge();
  stops.push(edge.close);
  await edge.put('a.txt', 'content');
  const key = edge.create('Key', 'AWS::CloudFront::PublicKey', {
    PublicKeyConfig: {
      ...{ CallerReference: 'x', Name: 'key' },
      EncodedKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    },
  }).ref;
  const group = edge.create('Group', 'AWS::CloudFront::KeyGroup', {
    KeyGroupConfig: { Name: 'group', Items: [key] },
  });
  const [distribution] = edge.cloudFront.book.distributions.values();
  if (distribution === undefined) throw new Error('no distribution');
  distribution.config.CacheBehaviors.unshift({
    ...distribution.config.DefaultCacheBehavior,
    ...{ PathPattern: '/private/*', TrustedKeyGroups: [group.ref] },
  });
  await edge.put('private/a.txt', 'for you');
  const client = new CloudFrontClient(edge.aws.client());
  stops.unshift(async () => client.destroy());
  const own = breaker();
  const { domainName } = edge.cloudFront;
  const settings = providerSettingsSchema.parse({
    ...{ kind: 'cloudfront', domain: domainName, distributionId: edge.distributionId },
  });
  if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
  return {
    ...{ provider: new CloudFront(client, settings, own), domain: domainName, breaker: own },
    ...{ edgeUrl: `http://${domainName}`, forget: () => {}, break: () => client.destroy() },
    sign: urlSigner(key, pem),
  };
}

const kinds = ['cloudfront', 'cloudflare', 'fastly', 'the local edge'] as const;

describe.each(kinds)('of %s', (kind) => {
  const handlersOf = (front: Front, sign?: ReturnType<typeof urlSigner>) => {
    const client = new EdgeClient({
      ...{ kind: front.provider.kind, domain: front.domain, edgeUrl: front.edgeUrl },
    });
    const handlers = assetHandlers({
      ...{ provider: front.provider, breaker: front.breaker, queryStrings: 'ignored', now: Date.now, sign },
      ask: (request) => client.get(request),
      versionOf: async () => ({ algorithm: 'etag', value: 'abc' }) as const,
      originUrl: async (key) => `https://origin.example/${key}`,
      edgeUrl: (host) => `https://${host}`,
      ...{ cachePolicies: [], purgesChangedContent: true },
    });
    const log = { info: () => {}, warn: () => {} };
    return {
      status: () => Reflect.apply(handlers.getCdnStatus, undefined, [{ log }]),
      url: (query: z.input<typeof urlQuerySchema>) =>
        Reflect.apply(handlers.getAssetUrl, undefined, [{ query: urlQuerySchema.parse(query) }]),
      cache: (path: string) =>
        Reflect.apply(handlers.cachePath, undefined, [{ body: cacheBodySchema.parse({ path }), log }]),
    };
  };

  it('the state is known, files have URLs, and paths come into the cache and go', async () => {
    const front = await (kind === 'the local edge' ? local() : provided(kind));
    const { sign } = front;
    const api = handlersOf(front, sign);
    expect(await api.status()).toMatchObject({
      status: 200,
      body: {
        provider: front.provider.kind,
        reachable: true,
        enabled: true,
        domain: front.domain,
        error: null,
      },
    });
    const found = await api.url({ path: '/a.txt' });
    expect(found.body).toMatchObject({ source: 'edge', signed: false });
    expect(found.body.url).toMatch(new RegExp(`^https://${front.domain}/a\\.txt\\?v=[0-9a-f]+$`));
    expect(await api.cache('/a.txt')).toMatchObject({ body: { before: 'cold', cached: true, status: 200 } });
    expect(await api.cache('/a.txt')).toMatchObject({ body: { before: 'warm', cached: true } });
    const target = await front.provider.target({});
    const made = await front.provider.submit(target, { ...noItems, paths: ['/a.txt'] }, false, 'once');
    front.forget();
    await waitFor(() => front.provider.isCompleted(target, made.id), { what: 'the purge' });
    expect(await api.cache('/a.txt')).toMatchObject({ body: { before: 'cold', cached: true } });

    const signed = api.url({ path: '/private/a.txt', signed: 'true' });
    if (sign === undefined) await expect(signed).rejects.toMatchObject({ status: 409 });
    else {
      const { pathname, search } = new URL((await signed).body.url);
      const answers = [pathname, pathname + search].map(
        async (path) => (await fetch(front.edgeUrl + path)).status,
      );
      expect(await Promise.all(answers)).toEqual([403, 200]);
    }
  });

  if (kind !== 'the local edge') {
    it('a provider that is away is said to be so, and URLs are the origin’s', async () => {
      const front = await provided(kind);
      front.break();
      const api = handlersOf(front);
      expect(await api.status()).toMatchObject({ body: { reachable: false, error: expect.any(String) } });
      expect((await api.url({ path: '/a.txt' })).body).toMatchObject({
        source: 'origin',
        reason: 'unreachable',
      });
    });
  }
});

describe('the local edge', () => {
  it('serves websites of tenants apart, and purges the one that is named', async () => {
    const edge = await startLocalEdge({ config: { ConnectionMode: 'tenant-only' } });
    const client = new CloudFrontClient(edge.aws.client());
    stops.push(async () => client.destroy(), edge.close);
    for (const name of ['red', 'blue']) {
      edge.create(name, 'AWS::CloudFront::DistributionTenant', {
        ...{ DistributionId: edge.distributionId, Domains: [`${name}.example.com`], Name: name },
      });
    }
    await edge.put('a.txt', 'content');
    const settings = providerSettingsSchema.parse({
      ...{ kind: 'cloudfront', domain, distributionId: edge.distributionId, multiTenant: true },
    });
    if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
    const provider = new CloudFront(client, settings, breaker());
    const edgeUrl = `http://${edge.cloudFront.domainName}`;
    const viewer = new EdgeClient({ kind: 'cloudfront', domain, edgeUrl });
    const cacheOf = async (name: string) => {
      const asked = { domain: `${name}.example.com`, path: '/a.txt', address: edge.cloudFront.domainName };
      return (await viewer.get(asked)).cache;
    };
    for (const name of ['red', 'blue'])
      expect([await cacheOf(name), await cacheOf(name)]).toEqual(['miss', 'hit']);
    const red = await provider.target({ website: 'red.example.com' });
    expect(red).toEqual(await provider.target({ tenant: 'red' }));
    await expect(provider.target({ website: 'nobody.example.com' })).rejects.toThrow('no website');
    const made = await provider.submit(red, { ...noItems, everything: true }, false, 'red');
    await waitFor(() => provider.isCompleted(red, made.id), { what: 'the purge' });
    expect([await cacheOf('red'), await cacheOf('blue')]).toEqual(['miss', 'hit']);
  });

  it('forgets by tag and all at once, knows what it was told before, and refuses who may not', async () => {
    const front = await local();
    const target = await front.provider.target({});
    const tagged = { ...noItems, tags: ['any:1'] };
    const one = await front.provider.submit(target, tagged, false, 'tag');
    expect(await front.provider.submit(target, tagged, false, 'tag')).toMatchObject({ id: one.id });
    const all = await front.provider.submit(target, { ...noItems, everything: true }, false, 'all');
    expect(all.id).not.toBe(one.id);
    const edge = await startLocalEdge({ invalidationMs: 60_000 });
    stops.push(edge.close);
    const nobody = new CloudFrontClient(edge.aws.asRole());
    const busy = new CloudFrontClient(edge.aws.client());
    stops.unshift(async () => {
      for (const client of [nobody, busy]) client.destroy();
    });
    const settings = providerSettingsSchema.parse({
      ...{ kind: 'cloudfront', domain, distributionId: edge.distributionId },
    });
    if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
    const own = { ...target, id: edge.distributionId };
    await expect(
      new CloudFront(nobody, settings, breaker()).submit(own, { ...noItems, paths: ['/a'] }, false, 'a'),
    ).rejects.toMatchObject({ name: 'ProviderRefusedError' });
    const many = new CloudFront(busy, settings, breaker());
    const prefixes = Array.from({ length: 15 }, (_, index) => `/${index}/`);
    await many.submit(own, { ...noItems, prefixes }, false, 'fifteen');
    await expect(many.submit(own, { ...noItems, prefixes: ['/x/'] }, false, 'more')).rejects.toMatchObject({
      name: 'ProviderThrottledError',
    });
  });
});
