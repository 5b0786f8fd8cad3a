import { randomBytes, randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { assetUrlSchema, cachedSchema, statusSchema } from '../../functions/cdn/assets/model.ts';
import { type Purge, purgeSchema } from '../../functions/cdn/purge/model.ts';
import { resultSchema, type Warming, warmingSchema } from '../../functions/cdn/warming/model.ts';
import type { StoredSpan } from '../../functions/tracing/model.ts';
import { span } from '../functions/tracing/spans.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { awsConfig, bucketNamed } from './support/aws.ts';
import { edgeStory } from './support/edge-story.ts';
import { sharedPlatform } from './support/shared-platform.ts';
import { sendSpan, wholeTrace } from './support/traces.ts';

describe('the edge', () => {
  let call: ApiClient;
  /** Whoever asked for the purge that is warmed again. */
  let caller: StoredSpan;
  let edge: string;
  let put: (key: string, body: string, tag?: string) => Promise<void>;
  const folder = `media/e2e-${randomUUID()}`;

  beforeAll(async () => {
    const local = await sharedPlatform();
    call = apiClient(local);
    await edgeStory();
    const s3 = new S3Client({ ...awsConfig(local), forcePathStyle: true });
    const Bucket = await bucketNamed(local, 'assets');
    put = async (Key, Body, tag) => {
      const Metadata = tag === undefined ? {} : { 'cache-tag': tag };
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/plain', Metadata }));
    };
    const { status, body } = await call('GET', '/api/cdn/status');
    expect({ status, body }).toMatchObject({ status: 200 });
    const standing = statusSchema.parse(body);
    expect(standing).toMatchObject({
      provider: 'cloudfront',
      reachable: true,
      enabled: true,
      breaker: 'closed',
    });
    expect(standing.cachePolicies.map(({ name }) => name)).toEqual(['static', 'media', 'html', 'other']);
    edge = `http://${standing.domain}`;
  });

  /** As a viewer asks; the local edge speaks HTTP as well. */
  const view = async (path: string) => {
    const response = await fetch(`${edge}${path}`, { headers: { 'accept-encoding': 'identity' } });
    return { text: await response.text(), cache: response.headers.get('x-cache') };
  };
  const ended = <T extends { state: string }>(schema: z.ZodType<T>, path: string): Promise<T> =>
    waitFor(
      async () => {
        const one = schema.parse((await call('GET', path)).body);
        return one.state !== 'queued' && one.state !== 'running' && one;
      },
      { what: `the end of ${path}`, timeoutMs: 90_000, intervalMs: 300 },
    );
  const begin = async (path: string, body: object, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await call('POST', path, { body, headers });
    expect(answer).toMatchObject({ status: 202 });
    return answer.headers.get('location') ?? '';
  };

  it('forgets what is purged, shows that by a MISS, and is warm again afterwards', async () => {
    const path = `/${folder}/page.txt`;
    await put(path.slice(1), 'first');
    await view(path);
    expect(await view(path)).toMatchObject({ text: 'first', cache: expect.stringMatching(/^Hit/) });
    await put(path.slice(1), 'second');
    expect((await view(path)).text).toBe('first');
    caller = span({ traceId: randomBytes(16).toString('hex'), startMs: Date.now() });
    const headers = { traceparent: `00-${caller.traceId}-${caller.spanId}-01` };
    const wanted = { paths: [`${path}?x=1`, path], verify: true, rewarm: true };
    const where = await begin('/api/cdn/purge', wanted, headers);
    const purge = await ended<Purge>(purgeSchema, where);
    expect(purge).toMatchObject({
      ...{ state: 'completed', error: null, items: { paths: 1 } },
      verification: { state: 'confirmed', checks: [{ path, before: 'hit', outcome: 'confirmed' }] },
    });
    expect(await view(path)).toMatchObject({ text: 'second', cache: expect.stringMatching(/^Hit/) });
    const warming = await ended<Warming>(warmingSchema, `/api/cdn/warming/${purge.warmingId}`);
    expect(warming).toMatchObject({ state: 'completed', trigger: 'purge', progress: { failed: 0 } });
    expect(await call('POST', `${where}/cancel`)).toMatchObject({ status: 409 });
    await sendSpan(call, caller);
  });

  it('is warmed before it is asked, path by path, and forgets a directory and what has a tag', async () => {
    const paths = Array.from({ length: 12 }, (_, index) => `/${folder}/warm/${index}.txt`);
    for (const path of paths) await put(path.slice(1), path);
    const where = await begin('/api/cdn/warming/warm', { paths, encodings: ['identity'] });
    const warming = await ended<Warming>(warmingSchema, where);
    expect(warming).toMatchObject({
      state: 'completed',
      progress: { requests: 12, done: 12, cold: 12, failed: 0 },
    });
    const page = z.object({ results: z.array(resultSchema), nextToken: z.string().nullable() });
    const { results, nextToken } = page.parse((await call('GET', `${where}/results?limit=10`)).body);
    expect([results.length, nextToken === null]).toEqual([10, false]);
    expect(await view(paths[0] ?? '')).toMatchObject({ cache: expect.stringMatching(/^Hit/) });

    const tagged = `/${folder}/tagged.txt`;
    await put(tagged.slice(1), 'content', 'e2e:1');
    await view(tagged);
    expect(await view(tagged)).toMatchObject({ cache: expect.stringMatching(/^Hit/) });
    const purge = await begin('/api/cdn/purge', { prefixes: [`/${folder}/warm/`], tags: ['e2e:1'] });
    expect(await ended<Purge>(purgeSchema, purge)).toMatchObject({ state: 'completed' });
    for (const path of [paths[0] ?? '', tagged])
      expect(await view(path)).toMatchObject({ cache: expect.stringMatching(/^Miss/) });
  });

  it('gives the URL of a file with a version that changes with it, and takes a path into its cache', async () => {
    const path = `/${folder}/a ä.txt`;
    await put(path.slice(1), 'one');
    const ask = async () =>
      assetUrlSchema.parse((await call('GET', `/api/cdn/url?path=${encodeURIComponent(path)}`)).body);
    const first = await ask();
    expect(first).toMatchObject({ source: 'edge', signed: false });
    await put(path.slice(1), 'two');
    expect((await ask()).url).not.toBe(first.url);
    const cached = cachedSchema.parse((await call('POST', '/api/cdn/cache', { body: { path } })).body);
    expect(cached).toMatchObject({ before: 'cold', cached: true, status: 200, bytes: 3 });
    expect(await call('GET', `/api/cdn/url?path=/${folder}/none`)).toMatchObject({ status: 404 });
    expect(await call('GET', '/api/cdn/url?path=/a&signed=true')).toMatchObject({
      ...{ status: 409, body: { code: 'not-supported' } },
    });
    expect(await call('POST', '/api/cdn/purge', { body: { paths: ['/a\r\nb'] } })).toMatchObject({
      status: 422,
    });
  });

  it('tells of a purge and the warming that it started as one trace, from the request on', async () => {
    await wholeTrace(call, caller.traceId, ['POST /api/cdn/purge', 'run-purge', 'run-warming']);
  });
});
