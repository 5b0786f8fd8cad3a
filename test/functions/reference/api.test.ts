import '../shared/output.ts';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { contracts } from '../../../functions/contracts.ts';
import { AssetServer } from '../../../functions/reference/assets.ts';
import { documents } from '../../../functions/reference/documents.ts';
import { problemKinds } from '../../../functions/shared/problem.ts';
import { startDynamo } from '../shared/dynamodb.ts';
import { httpEvent, lambdaContext, type RequestParts } from '../shared/lambda.ts';

const dynamo = await startDynamo('limits');
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
  MAINSTAY_VERSION: '1.2.3',
  LIMITS_TABLE: 'limits',
  ACCESS_POLICY: '{}',
});
afterAll(() => dynamo.stop());
const { handler } = await import('../../../functions/reference/api.ts');

async function send(parts: RequestParts) {
  const {
    statusCode,
    headers = {},
    body = '',
    isBase64Encoded,
  } = await handler(httpEvent(parts), lambdaContext());
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  return { status: statusCode, headers, bytes, text: bytes.toString() };
}

const unmatched = (method: string, path: string) => send({ method, path, routeKey: '$default' });

describe('the description and its documentation', () => {
  it('are served to everybody', async () => {
    const openapi = await send({ path: '/openapi.json' });
    expect(openapi.headers['content-type']).toBe('application/json');
    expect(JSON.parse(openapi.text)).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    const docs = await send({ path: '/docs' });
    expect(docs.headers['content-type']).toBe('text/html; charset=utf-8');
    for (const kind of Object.keys(problemKinds)) expect(docs.text).toContain(`id="problem-${kind}"`);
  });

  it('are compressed for who can read that, and not sent again to who has them', async () => {
    const plain = await send({ path: '/openapi.json', headers: { 'accept-encoding': 'br, gzip;q=0' } });
    const zipped = await send({ path: '/openapi.json', headers: { 'accept-encoding': 'br, gzip' } });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gunzipSync(zipped.bytes)).toEqual(plain.bytes);
    const again = await send({
      path: '/openapi.json',
      headers: { 'if-none-match': `"x", ${plain.headers.etag}` },
    });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', plain.headers.etag]);
    const changed = await send({ path: '/openapi.json', headers: { 'if-none-match': 'W/"other"' } });
    expect(changed.status).toBe(200);
  });

  it('run scripts of their own origin alone', async () => {
    const { text, headers } = await send({ path: '/docs' });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("default-src 'none'");
    expect(text).not.toMatch(/<script>|<script(?![^>]*src="\/docs\/)|\son\w+=|https?:\/\//);
    const local = [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path);
    expect(local.every((path) => path?.startsWith('/docs/') || path === '/openapi.json')).toBe(true);
  });

  it('have every file that the page asks for', async () => {
    const modules = new URL('../../../node_modules/swagger-ui-dist/', import.meta.url);
    const server = documents(contracts, '1.2.3', modules);
    const page = (await send({ path: '/docs' })).text;
    const paths = [...page.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)].map(([, path]) => String(path));
    expect(paths).toHaveLength(5);
    for (const path of paths) {
      const request = { method: 'GET', path, headers: {}, sourceIp: '', requestId: '', time: new Date() };
      const answer = await server.answer(path, request);
      expect(answer?.body?.length).toBeGreaterThan(50);
    }
  });

  it('have no file beyond those', async () => {
    for (const file of ['index.mjs', '../index.mjs', '..%2findex.mjs', 'toString', '__proto__']) {
      const answer = await send({ routeKey: 'GET /docs/{file}', path: `/docs/${file}`, params: { file } });
      expect(answer.status).toBe(404);
    }
  });

  it('are read again after a failed read', async () => {
    let attempts = 0;
    const server = new AssetServer({
      '/x': async () => {
        attempts++;
        if (attempts === 1) throw new Error('disk');
        return { headers: { 'content-type': 'text/plain' }, content: 'x' };
      },
    });
    const request = { method: 'GET', path: '/x', headers: {}, sourceIp: '', requestId: '', time: new Date() };
    await expect(server.answer('/x', request)).rejects.toThrow('disk');
    expect((await server.answer('/x', request))?.body).toEqual(Buffer.from('x'));
  });
});

describe('a request that no route matches', () => {
  it('is answered 404 where there is nothing', async () => {
    for (const path of [
      '/api/nothing',
      '/api/health/',
      '/API/health',
      '/api/../api/health',
      '//',
      '/docs/a/b',
    ]) {
      expect((await unmatched('GET', path)).status).toBe(404);
    }
  });

  it('is answered 405 with the methods that the path has', async () => {
    const answer = await unmatched('POST', '/api/health');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, OPTIONS']);
    expect(JSON.parse(answer.text)).toMatchObject({ type: '/docs#problem-method-not-allowed' });
    const withPlaceholder = await unmatched('PUT', '/api/disaster-recovery/backups/some-id');
    expect([withPlaceholder.status, withPlaceholder.headers.allow]).toEqual([405, 'GET, OPTIONS']);
  });

  it('leads from the root to the documentation', async () => {
    const answer = await unmatched('GET', '/');
    expect([answer.status, answer.headers.location]).toEqual([302, '/docs']);
  });

  it('learns the methods of a path by OPTIONS', async () => {
    const answer = await unmatched('OPTIONS', '/api/ready');
    expect([answer.status, answer.headers.allow, answer.text]).toEqual([204, 'GET, OPTIONS', '']);
    expect((await unmatched('OPTIONS', '/nothing')).status).toBe(404);
  });

  it('gets the head of a document by HEAD', async () => {
    const answer = await unmatched('HEAD', '/openapi.json');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers.etag).toBe((await send({ path: '/openapi.json' })).headers.etag);
  });
});
