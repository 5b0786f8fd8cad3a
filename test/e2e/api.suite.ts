import { beforeAll, describe, expect, it } from '@jest/globals';
import { contracts } from '../../functions/contracts.ts';
import type { RouteContract } from '../../functions/shared/contract.ts';
import { problemSchema } from '../../functions/shared/problem.ts';
import { type ApiAnswer, type ApiClient, apiClient } from './support/api.ts';
import { sharedPlatform } from './support/shared-platform.ts';

const routes: RouteContract[] = contracts.flatMap((contract) => Object.values(contract.routes));
function expectProblem(answer: ApiAnswer, status: number) {
  expect({ status: answer.status, type: answer.headers.get('content-type') }).toEqual({
    status,
    type: expect.stringContaining('application/problem+json'),
  });
  const problem = problemSchema.parse(answer.body);
  expect(problem).toMatchObject({ status, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
  return problem;
}

describe('the API', () => {
  let call: ApiClient;

  beforeAll(async () => {
    call = apiClient(await sharedPlatform());
  });

  it.each(
    routes
      .filter(({ scope }) => scope === 'open')
      .map((route) => [`${route.method} ${route.path}`, route] as const),
  )('answers %s without a key', async (_, { method, path }) => {
    expect((await call(method, path.replace('{file}', 'swagger-ui.css'), { key: null })).status).toBe(200);
  });

  it('takes the key as a bearer token and as x-api-key', async () => {
    const { adminKey } = await sharedPlatform();
    for (const headers of [{ authorization: `Bearer ${adminKey}` }, { 'x-api-key': adminKey }]) {
      expect((await call('GET', '/api/disaster-recovery/backups', { key: null, headers })).status).toBe(200);
    }
  });

  it('answers 404 for what does not exist, and 405 with Allow for another method of what does', async () => {
    expectProblem(await call('GET', '/api/nothing'), 404);
    const answer = await call('PUT', '/api/disaster-recovery/backups');
    expectProblem(answer, 405);
    expect(answer.headers.get('allow')).toContain('GET');
  });

  it.each([
    '/api/disaster-recovery/backups/..%2F..%2Fetc',
    '/api/disaster-recovery/backups/%2e%2e',
    '/api/disaster-recovery/backups/a%00b',
    `/api/disaster-recovery/backups/${'a'.repeat(81)}`,
    '/api/disaster-recovery/backups/a%20b',
  ])('refuses the path %s', async (path) => {
    const answer = await call('GET', path);
    expect([400, 404]).toContain(answer.status);
  });

  it.each<[string, { text: string }, string]>([
    ['broken JSON', { text: '{"type":' }, 'body'],
    ['an unknown field', { text: '{"typ":"full"}' }, 'body.typ'],
    ['a wrong type', { text: '{"type":7}' }, 'body.type'],
    ['a value out of range', { text: '{"shards":[]}' }, 'body.shards'],
    ['a list in place of an object', { text: '[]' }, 'body'],
  ])('names the field of %s, and starts nothing', async (_, request, field) => {
    const before = await call('GET', '/api/disaster-recovery/backups?limit=1');
    const problem = expectProblem(await call('POST', '/api/disaster-recovery/backup', request), 400);
    expect(JSON.stringify(problem.errors)).toContain(field);
    expect((await call('GET', '/api/disaster-recovery/backups?limit=1')).body).toEqual(before.body);
  });

  it('names a query parameter that is out of range or unknown', async () => {
    const outOfRange = expectProblem(await call('GET', '/api/disaster-recovery/backups?limit=0'), 400);
    expect(outOfRange.errors).toEqual([expect.objectContaining({ field: 'query.limit' })]);
    const unknown = expectProblem(await call('GET', '/api/disaster-recovery/backups?lmit=1'), 400);
    expect(unknown.errors).toEqual([expect.objectContaining({ field: 'query.lmit' })]);
    const token = expectProblem(await call('GET', '/api/disaster-recovery/backups?nextToken=x'), 400);
    expect(token.errors).toEqual([expect.objectContaining({ field: 'query.nextToken' })]);
  });

  it('answers 413 for a body that is too large, ours as a problem, the gateway’s in its own shape', async () => {
    const path = '/api/disaster-recovery/backup';
    expectProblem(await call('POST', path, { text: JSON.stringify({ type: 'x'.repeat(1_100_000) }) }), 413);
    const answer = await call('POST', path, { text: 'x'.repeat(10 * 1024 * 1024 + 1) });
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 413,
      body: { message: expect.any(String) },
    });
  });

  it('answers 415 for another content type', async () => {
    const headers = { 'content-type': 'text/plain' };
    expectProblem(await call('POST', '/api/disaster-recovery/backup', { text: '{}', headers }), 415);
  });

  it('carries the caller’s trace id into its answers', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const problem = expectProblem(await call('GET', '/api/nothing', { headers }), 404);
    expect(problem.traceId).toBe(traceId);
  });

  it('sets security headers', async () => {
    const { headers } = await call('GET', '/api/health');
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{7,}/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toContain('no-store');
  });

  it('says that every dependency answers', async () => {
    const { body } = await call('GET', '/api/ready', { key: null });
    expect(body).toMatchObject({ status: 'ready' });
    expect(JSON.stringify(body)).toContain('shard-b');
  });

  it('describes every route in its OpenAPI document', async () => {
    const { body } = await call('GET', '/openapi.json', { key: null });
    const paths = routes.map(({ path }) => path);
    expect(body).toMatchObject({ openapi: expect.stringMatching(/^3\.1/), paths: expect.any(Object) });
    expect(Object.keys(Object(body).paths)).toEqual(expect.arrayContaining(paths));
  });
});
