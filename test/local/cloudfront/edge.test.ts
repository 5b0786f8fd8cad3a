import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { serverCertificate } from '../../../local/postgres/certificates.ts';
import { startEdge, type TestEdge } from './fixture.ts';

let edge: TestEdge;
const start = async (...options: Parameters<typeof startEdge>) => {
  edge = await startEdge(...options);
  return edge;
};
afterEach(() => edge.close());

describe('a file of the bucket', () => {
  it('is a miss, then a hit that grows older, and is compared with the bucket when its time is over', async () => {
    const { get, put, pass } = await start();
    await put('index.html', 'hello', { type: 'text/html' });
    const first = await get('/');
    expect(first).toMatchObject({ status: 200, text: 'hello', cache: 'Miss' });
    expect(first.headers.get('cache-status')).toBe(
      '"local-edge"; fwd=uri-miss; fwd-status=200; stored; ttl=3600',
    );
    expect(first.headers.has('age')).toBe(false);
    pass(100);
    const second = await get('/');
    expect(second).toMatchObject({ text: 'hello', cache: 'Hit' });
    expect(second.headers.get('age')).toBe('100');
    expect(second.headers.get('x-amz-cf-pop')).toBe(first.headers.get('x-amz-cf-pop'));
    expect(second.headers.get('x-amz-cf-id')).not.toBe(first.headers.get('x-amz-cf-id'));
    pass(3600);
    expect(await get('/')).toMatchObject({ text: 'hello', cache: 'RefreshHit' });
    await put('index.html', 'changed', { type: 'text/html' });
    expect((await get('/')).text).toBe('hello');
    pass(3601);
    expect(await get('/')).toMatchObject({ text: 'changed', cache: 'Miss' });
  });

  it('is not served without the policy of the bucket, or where there is none', async () => {
    const { get, put, aws } = await start();
    await put('a.txt', 'secret');
    expect((await get('/missing.txt')).status).toBe(403);
    aws.authorizer.removeResourcePolicy('arn:aws:s3:::assets-of-the-test');
    expect(await get('/a.txt')).toMatchObject({ status: 403, cache: 'Error' });
  });

  it('is compressed for who takes it, kept once per encoding, and the same for all queries', async () => {
    const { get, put } = await start();
    const text = 'all work and no play. '.repeat(200);
    await put('long.txt', text);
    for (const [accept, encoding] of [
      ['br, gzip', 'br'],
      ['gzip;q=0.5, br;q=0', 'gzip'],
      ['identity', null],
    ] as const) {
      const first = await get('/long.txt', { 'accept-encoding': accept });
      expect(first).toMatchObject({ text, cache: 'Miss' });
      expect(first.headers.get('content-encoding')).toBe(encoding);
      expect(first.headers.get('etag')?.startsWith('W/')).toBe(encoding !== null);
      expect((await get('/long.txt?utm=1', { 'accept-encoding': accept })).cache).toBe('Hit');
    }
  });

  it('is answered in part, and not at all to who has it', async () => {
    const { get, put } = await start();
    await put('digits.txt', '0123456789');
    expect(await get('/digits.txt', { range: 'bytes=2-4' })).toMatchObject({ status: 206, text: '234' });
    expect((await get('/digits.txt', { range: 'bytes=-3' })).headers.get('content-range')).toBe(
      'bytes 7-9/10',
    );
    expect((await get('/digits.txt', { range: 'bytes=10-' })).status).toBe(416);
    const etag = (await get('/digits.txt')).headers.get('etag') ?? '';
    expect(await get('/digits.txt', { 'if-none-match': etag })).toMatchObject({
      status: 304,
      text: '',
      cache: 'Hit',
    });
    expect(await get('/digits.txt', {}, 'HEAD')).toMatchObject({ status: 200, text: '', cache: 'Hit' });
    expect((await get('/digits.txt', {}, 'DELETE')).status).toBe(403);
  });

  it('stays in a cache of so many bytes until others have been used later', async () => {
    const { get, put } = await start({ cacheBytes: 10_000 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await put(name, name);
    for (const name of ['a', 'b', 'c', 'd']) expect((await get(`/${name}`)).cache).toBe('Miss');
    expect((await get('/a')).cache).toBe('Hit');
    expect((await get('/e')).cache).toBe('Miss');
    expect((await get('/a')).cache).toBe('Hit');
    expect((await get('/b')).cache).toBe('Miss');
  });
});

describe('an origin over HTTP', () => {
  it('is passed everything of the viewer but the host, and its answer is never kept', async () => {
    const { get, answerWith, asked } = await start();
    answerWith((request, response) => {
      response.setHeader('cache-control', 'max-age=60');
      response.end(`${request.headers.host === edge.cloudFront.domainName} ${request.headers.authorization}`);
    });
    for (const cache of ['Miss', 'Miss']) {
      const got = await get('/api/things?q=a%20b', { authorization: 'Bearer x' });
      expect(got).toMatchObject({ text: 'false Bearer x', cache });
    }
    expect(asked).toEqual(['GET /api/things?q=a%20b', 'GET /api/things?q=a%20b']);
  });

  it('has its answers kept as long as it says, within the bounds of the policy', async () => {
    const { get, answerWith, pass } = await start();
    for (const [control, seconds] of [
      ['max-age=5', 5],
      ['max-age=5, s-maxage=30', 30],
      ['max-age=100000', 600],
      ['public', 60],
      ['max-age=20, must-revalidate', 20],
      ['no-store', 0],
      ['private, max-age=50', 0],
      ['no-cache', 0],
    ] as const) {
      answerWith((_, response) => response.setHeader('cache-control', control).end('x'));
      const path = `/live/${encodeURIComponent(control)}`;
      await get(path);
      pass(Math.max(seconds - 1, 0));
      expect([control, (await get(path)).cache]).toEqual([control, seconds > 0 ? 'Hit' : 'Miss']);
      pass(2);
      expect([control, (await get(path)).cache]).toEqual([control, 'Miss']);
    }
  });

  it('is asked once for what many want, and once more in the background for what is stale for a while', async () => {
    const { get, answerWith, pass, asked } = await start();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    answerWith((_, response) => {
      void held.then(() => {
        response
          .setHeader('cache-control', 'max-age=10, stale-while-revalidate=20')
          .end(`answer ${asked.length}`);
      });
    });
    const many = Array.from({ length: 5 }, () => get('/live/a?x=1'));
    release();
    expect(new Set((await Promise.all(many)).map(({ text }) => text))).toEqual(new Set(['answer 1']));
    pass(15);
    const stale = await get('/live/a?x=1');
    expect(stale).toMatchObject({ text: 'answer 1', cache: 'Hit' });
    expect(stale.headers.get('cache-status')).toBe(
      '"local-edge"; hit; ttl=-5; detail=stale-while-revalidate',
    );
    for (;;) if ((await get('/live/a?x=1')).text === 'answer 2') break;
    expect(asked).toHaveLength(2);
    expect((await get('/live/a?x=2')).cache).toBe('Miss');
  });

  it('that fails is covered by what was kept, and is an error where nothing was', async () => {
    const { get, answerWith, pass } = await start();
    await get('/live/a');
    pass(61);
    answerWith((_, response) => response.writeHead(503).end('down'));
    const covered = await get('/live/a');
    expect(covered).toMatchObject({ status: 200, text: 'ok' });
    expect(covered.headers.get('cache-status')).toContain('detail=stale-if-error');
    expect(await get('/live/b')).toMatchObject({ status: 503, cache: 'Error' });
    answerWith((_, response) => void response.end('up'));
    expect((await get('/live/b')).text).toBe('down');
    pass(11);
    expect((await get('/live/b')).text).toBe('up');
    answerWith((request) => request.socket.destroy());
    expect(await get('/live/c')).toMatchObject({ status: 502, cache: 'Error' });
  });

  it('is never another host, whatever the path says', async () => {
    const { get, asked } = await start();
    await get('/api/..%2f..%2fx');
    await get('/live//example.com/x');
    expect(asked).toEqual(['GET /api/..%2f..%2fx', 'GET /live//example.com/x']);
  });
});

describe('what is private', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = (policy: string) =>
    sign('sha1', Buffer.from(policy), pair.privateKey)
      .toString('base64')
      .replaceAll('+', '-')
      .replaceAll('=', '_')
      .replaceAll('/', '~');

  it('is served by a signature of a trusted key, for one path, until it expires', async () => {
    const { get, put, create, cloudFront } = await start();
    const key = create('Key', 'AWS::CloudFront::PublicKey', {
      PublicKeyConfig: {
        ...{ CallerReference: 'x', Name: 'key' },
        EncodedKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      },
    }).ref;
    const group = create('Group', 'AWS::CloudFront::KeyGroup', {
      KeyGroupConfig: { Name: 'group', Items: [key] },
    });
    const [distribution] = cloudFront.book.distributions.values();
    if (distribution === undefined) throw new Error('no distribution');
    distribution.config.CacheBehaviors.unshift({
      ...distribution.config.DefaultCacheBehavior,
      ...{ PathPattern: '/private/*', TrustedKeyGroups: [group.ref] },
    });
    await put('private/a.txt', 'for you');
    const expires = Math.floor(Date.now() / 1000) + 60;
    const url = `https://${cloudFront.domainName}/private/a.txt`;
    const canned = `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
    const query = `Expires=${expires}&Signature=${signature(canned)}&Key-Pair-Id=${key}`;
    expect((await get('/private/a.txt')).text).toContain('<Code>MissingKey</Code>');
    expect(await get(`/private/a.txt?${query}`)).toMatchObject({ status: 200, text: 'for you' });
    expect((await get(`/private/b.txt?${query}`)).text).toContain('<Code>AccessDenied</Code>');
    const custom = JSON.stringify({
      Statement: [
        {
          Resource: `https://${cloudFront.domainName}/private/*`,
          Condition: {
            DateLessThan: { 'AWS:EpochTime': expires },
            IpAddress: { 'AWS:SourceIp': '127.0.0.0/8' },
          },
        },
      ],
    });
    const encoded = Buffer.from(custom)
      .toString('base64')
      .replaceAll('+', '-')
      .replaceAll('=', '_')
      .replaceAll('/', '~');
    const cookie = `CloudFront-Policy=${encoded}; CloudFront-Signature=${signature(custom)}; CloudFront-Key-Pair-Id=${key}`;
    expect((await get('/private/a.txt', { cookie })).status).toBe(200);
    edge.pass(61);
    expect((await get(`/private/a.txt?${query}`)).status).toBe(403);
  });
});

it('speaks TLS on the same port', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mainstay-edge-'));
  try {
    const tls = await serverCertificate(directory, ['127.0.0.1']);
    const { put, cloudFront } = await start({ tls: () => tls });
    await put('a.txt', 'a');
    const status = await new Promise((resolve, reject) => {
      request(`https://${cloudFront.domainName}/a.txt`, { ca: tls.authority, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });
    expect([status, (await edge.get('/a.txt', { 'accept-encoding': 'identity' })).cache]).toEqual([
      200,
      'Hit',
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('refuses by name what it does not do', async () => {
  const { create } = await start();
  const config = { Enabled: true, Origins: [], WebACLId: 'arn' };
  expect(() => create('Other', 'AWS::CloudFront::Distribution', { DistributionConfig: config })).toThrow(
    'does not emulate DistributionConfig.WebACLId of AWS::CloudFront::Distribution',
  );
});
