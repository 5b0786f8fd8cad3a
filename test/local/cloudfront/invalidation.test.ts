import {
  CloudFrontClient,
  CreateInvalidationCommand,
  CreateInvalidationForDistributionTenantCommand,
  DeleteDistributionCommand,
  GetDistributionCommand,
  GetInvalidationCommand,
  GetInvalidationForDistributionTenantCommand,
  ListInvalidationsCommand,
} from '@aws-sdk/client-cloudfront';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { accountId, allow } from '../aws/emulated-aws.ts';
import { startEdge, type TestEdge } from './fixture.ts';

let edge: TestEdge;
let client: CloudFrontClient;
afterEach(async () => {
  client.destroy();
  await edge.close();
});

async function begin(options: Parameters<typeof startEdge>[0] = {}): Promise<void> {
  edge = await startEdge(options);
  client = new CloudFrontClient(edge.aws.client());
}

let reference = 0;
const batch = (paths: string[], CallerReference = `reference-${++reference}`) => ({
  CallerReference,
  Paths: { Quantity: paths.length, Items: paths },
});
const invalidate = (...paths: string[]) =>
  client.send(
    new CreateInvalidationCommand({ DistributionId: edge.distributionId, InvalidationBatch: batch(paths) }),
  );

async function completed(id: string | undefined): Promise<void> {
  for (;;) {
    const found = await client.send(
      new GetInvalidationCommand({ DistributionId: edge.distributionId, Id: id ?? '' }),
    );
    if (found.Invalidation?.Status === 'Completed') return;
  }
}

describe('an invalidation', () => {
  beforeEach(() => begin());

  it.each([
    ['the root', ['/'], ['/']],
    ['what the root is at the origin', ['/index.html'], ['/index.html']],
    ['a path', ['/news/today.html'], ['/news/today.html']],
    ['a path in other spelling', ['/news/%74oday.html'], ['/news/today.html']],
    ['a prefix', ['/news/*'], ['/news/today.html', '/news/old.html']],
    ['everything', ['/*'], ['/', '/index.html', '/news/today.html', '/news/old.html', '/a.txt']],
    ['a tag', ['#Product:1'], ['/news/old.html', '/a.txt']],
    ['a tag and a path', ['#none', '/a.txt'], ['/a.txt']],
    ['nothing that is there', ['/news', '/NEWS/*'], []],
  ])('of %s removes just that, in every encoding', async (_, paths, gone) => {
    const long = 'text '.repeat(500);
    await edge.put('index.html', long);
    await edge.put('news/today.html', long);
    await edge.put('news/old.html', long, { tags: 'other, PRODUCT:1' });
    await edge.put('a.txt', long, { tags: 'product:1' });
    const all = ['/', '/index.html', '/news/today.html', '/news/old.html', '/a.txt'];
    const variants = [{ 'accept-encoding': 'identity' }, { 'accept-encoding': 'br' }];
    for (const path of all) for (const headers of variants) await edge.get(path, headers);
    const made = await invalidate(...paths);
    expect(made.Invalidation).toMatchObject({
      Status: 'InProgress',
      InvalidationBatch: { Paths: { Items: paths } },
    });
    await completed(made.Invalidation?.Id);
    for (const path of all) {
      for (const headers of variants) {
        expect([path, (await edge.get(path, headers)).cache]).toEqual([
          path,
          gone.includes(path) ? 'Miss' : 'Hit',
        ]);
      }
    }
  });

  it('is the same one for the same caller reference, and refuses another batch under it', async () => {
    const send = (paths: string[]) =>
      client.send(
        new CreateInvalidationCommand({
          DistributionId: edge.distributionId,
          InvalidationBatch: batch(paths, 'once'),
        }),
      );
    const first = await send(['/a', '/b']);
    expect((await send(['/b', '/a'])).Invalidation?.Id).toBe(first.Invalidation?.Id);
    await expect(send(['/c'])).rejects.toThrow('caller reference');
    const { InvalidationList: list } = await client.send(
      new ListInvalidationsCommand({ DistributionId: edge.distributionId, MaxItems: 1 }),
    );
    expect(list).toMatchObject({ Quantity: 1, IsTruncated: false });
  });

  it.each([
    [['/a*b'], 'invalid invalidation paths'],
    [['/a\u00e9'], 'invalid invalidation paths'],
    [['#a,b'], 'invalid cache tags'],
    [['/a', '/a'], 'duplicate'],
    [[], 'no paths'],
  ])('of %j is refused', async (paths, message) => {
    await expect(invalidate(...paths)).rejects.toThrow(message);
  });

  it('does not let an answer in that was fetched before it', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    edge.answerWith((_, response) => void held.then(() => response.end('old')));
    const slow = edge.get('/live/a');
    while (edge.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await completed((await invalidate('/live/*')).Invalidation?.Id);
    release();
    expect((await slow).text).toBe('old');
    edge.answerWith((_, response) => void response.end('new'));
    expect(await edge.get('/live/a')).toMatchObject({ text: 'new', cache: 'Miss' });
  });
});

describe('the quotas of a distribution', () => {
  it('are 3000 paths and 15 wildcards in progress, each on its own', async () => {
    await begin({ invalidationMs: 60_000 });
    const paths = (count: number, from = 0) =>
      Array.from({ length: count }, (_, index) => `/${from + index}`);
    await invalidate(...paths(2999));
    await invalidate(...Array.from({ length: 15 }, (_, index) => `/${index}*`));
    await expect(invalidate('/x*')).rejects.toMatchObject({ name: 'TooManyInvalidationsInProgress' });
    await invalidate('/one-more');
    await expect(invalidate('/too-many')).rejects.toMatchObject({ name: 'TooManyInvalidationsInProgress' });
    await expect(invalidate(...paths(3001))).rejects.toMatchObject({ name: 'BatchTooLarge' });
    const { Distribution } = await client.send(new GetDistributionCommand({ Id: edge.distributionId }));
    expect(Distribution).toMatchObject({
      InProgressInvalidationBatches: 3,
      DomainName: edge.cloudFront.domainName,
    });
  });
});

describe('a tenant of a distribution', () => {
  it('has a cache of its own, which its own invalidations empty', async () => {
    await begin({ config: { ConnectionMode: 'tenant-only' } });
    const tenantOf = (name: string) =>
      edge.create(name, 'AWS::CloudFront::DistributionTenant', {
        ...{ DistributionId: edge.distributionId, Domains: [`${name}.example.com`], Name: name },
      }).ref;
    const [red] = [tenantOf('red'), tenantOf('blue')];
    await edge.put('a.txt', 'a');
    const { port } = new URL(`http://${edge.cloudFront.domainName}`);
    const from = async (name: string) => (await askAs(Number(port), `${name}.example.com`)).cache;
    expect((await askAs(Number(port), 'nobody.example.com')).status).toBe(403);
    for (const name of ['red', 'blue']) expect([await from(name), await from(name)]).toEqual(['Miss', 'Hit']);
    const made = await client.send(
      new CreateInvalidationForDistributionTenantCommand({ Id: red, InvalidationBatch: batch(['/*']) }),
    );
    for (;;) {
      const { Invalidation } = await client.send(
        new GetInvalidationForDistributionTenantCommand({
          ...{ DistributionTenantId: red, Id: made.Invalidation?.Id ?? '' },
        }),
      );
      if (Invalidation?.Status === 'Completed') break;
    }
    expect([await from('red'), await from('blue')]).toEqual(['Miss', 'Hit']);
  });
});

describe('the API', () => {
  it('lets a role do what its policy says, and names what is not emulated', async () => {
    await begin();
    const arn = `arn:aws:cloudfront::${accountId}:distribution/${edge.distributionId}`;
    const limited = new CloudFrontClient(edge.aws.asRole(allow('cloudfront:CreateInvalidation', arn)));
    const target = { DistributionId: edge.distributionId };
    const { Invalidation } = await limited.send(
      new CreateInvalidationCommand({ ...target, InvalidationBatch: batch(['/a']) }),
    );
    await expect(
      limited.send(new GetInvalidationCommand({ ...target, Id: Invalidation?.Id ?? '' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
    limited.destroy();
    await expect(
      client.send(new DeleteDistributionCommand({ Id: edge.distributionId, IfMatch: 'x' })),
    ).rejects.toThrow('does not emulate cloudfront:DeleteDistribution');
    await expect(client.send(new GetDistributionCommand({ Id: 'ENOTHING' }))).rejects.toMatchObject({
      name: 'NoSuchDistribution',
      $metadata: { httpStatusCode: 404 },
    });
  });
});

/** `fetch` does not let the host be named. */
async function askAs(port: number, host: string): Promise<{ status: number; cache: string }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/a.txt', headers: { host }, agent: false }, (response) => {
      response.resume();
      const cache = String(response.headers['x-cache'] ?? '').replace(' from cloudfront', '');
      response.on('end', () => resolve({ status: response.statusCode ?? 0, cache }));
    })
      .once('error', reject)
      .end();
  });
}
