import './output.ts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { httpFunction } from '../../../functions/shared/http-function.ts';
import { maximumBodyBytes } from '../../../functions/shared/http-request.ts';
import { problemSchema } from '../../../functions/shared/problem.ts';
import { exampleContract, exampleFunction, gateLog, secretInAnError, workIdOfGate } from './example.ts';
import { httpEvent, lambdaContext, type RequestParts } from './lambda.ts';
import { takeOutput, takeRecords } from './output.ts';

const key = { 'x-api-key': 'any' };
const seen: unknown[] = [];
const handler = exampleFunction(seen);

async function send(parts: RequestParts, remainingMs?: number) {
  const result = await handler(httpEvent(parts), lambdaContext(remainingMs));
  return { ...result, headers: result.headers ?? {} };
}

async function sendForProblem(parts: RequestParts, remainingMs?: number) {
  const result = await send(parts, remainingMs);
  expect(result.headers['content-type']).toBe('application/problem+json');
  const problem = problemSchema.parse(JSON.parse(result.body ?? ''));
  expect(problem.status).toBe(result.statusCode);
  return { ...result, problem };
}

const create = {
  method: 'POST',
  routeKey: 'POST /things/{thingId}',
  path: '/things/abc',
  params: { thingId: 'abc' },
};
const fail = { method: 'POST', path: '/fail' };

beforeEach(() => {
  seen.length = 0;
  gateLog.length = 0;
  takeOutput();
});

describe('a request that is as the contract describes it', () => {
  it('reaches its handler parsed, with its defaults', async () => {
    expect((await send({ path: '/things', headers: key })).statusCode).toBe(200);
    expect((await send({ path: '/things', query: 'limit=7', headers: key })).body).toBe('{"limit":7}');
    expect(seen).toEqual([{ limit: 5 }, { limit: 7 }]);
  });

  it('gets the answer of its handler as JSON, with its headers and those of security', async () => {
    const answer = await send({ ...create, headers: key, body: { type: 'small' } });
    expect(answer.statusCode).toBe(201);
    expect(JSON.parse(answer.body ?? '')).toEqual({ thingId: 'abc', type: 'small', by: 'abcdefgh' });
    expect(answer.headers).toMatchObject({
      location: '/things/abc',
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      'Strict-Transport-Security': expect.stringMatching(/^max-age=\d{8}/),
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
    });
  });

  it('may send its body as API Gateway encodes binary data', async () => {
    const body = JSON.stringify({ type: 'large' });
    const headers = { ...key, 'content-type': 'application/json; charset=UTF-8' };
    expect((await send({ ...create, headers, body, base64: true })).statusCode).toBe(201);
  });

  it('may leave out a body of which nothing is required', async () => {
    expect((await send({ method: 'POST', path: '/defaults' })).body).toBe('{"type":"small"}');
    expect((await send({ method: 'POST', path: '/act' })).statusCode).toBe(204);
    expect((await send({ method: 'POST', path: '/act', body: {} })).statusCode).toBe(204);
  });

  it('gets text as text where the contract says so', async () => {
    const answer = await send({ path: '/ping' });
    expect([answer.body, answer.headers['content-type']]).toEqual(['hello', 'text/plain']);
  });
});

describe('a request that is not', () => {
  const refusals: [string, RequestParts, { status?: number; fields: string[] }][] = [
    ['a wrong value', { body: { type: 'huge' } }, { fields: ['body.type'] }],
    ['a missing field', { body: {} }, { fields: ['body.type'] }],
    ['a missing body', {}, { fields: ['body.type'] }],
    ['an unknown field', { body: { type: 'small', color: 'red' } }, { fields: ['body.color'] }],
    [
      'an unknown inner field',
      { body: { type: 'small', size: { width: 1, depth: 2 } } },
      { fields: ['body.size.depth'] },
    ],
    [
      'a wrong inner value',
      { body: { type: 'small', size: { width: -1 } } },
      { fields: ['body.size.width'] },
    ],
    ['a body of another type', { body: [1] }, { fields: ['body'] }],
    [
      'a __proto__ of its own',
      { body: '{"type":"small","__proto__":{"admin":true}}' },
      { fields: ['body.__proto__'] },
    ],
    ['a constructor', { body: '{"type":"small","constructor":{}}' }, { fields: ['body.constructor'] }],
    [
      'a wrong path parameter',
      { params: { thingId: '../etc' }, body: { type: 'small' } },
      { fields: ['params.thingId'] },
    ],
    [
      'a query that the route does not take',
      { query: 'a=1', body: { type: 'small' } },
      { fields: ['query.a'] },
    ],
    ['broken JSON', { body: '{"type": ' }, { fields: ['body'] }],
    [
      'several faults',
      { params: { thingId: 'A' }, query: 'x=1', body: { type: 1 } },
      { fields: ['params.thingId', 'query.x', 'body.type'] },
    ],
  ];

  it.each(refusals)('is refused by naming %s', async (_name, parts, { fields }) => {
    const headers = { ...key, 'content-type': 'application/json' };
    const { problem } = await sendForProblem({ ...create, ...parts, headers });
    expect(problem.status).toBe(400);
    expect(problem.errors?.map(({ field }) => field)).toEqual(fields);
    expect(seen).toEqual([]);
  });

  it('is refused by naming a query parameter that is wrong, unknown or repeated', async () => {
    const errors = async (query: string) =>
      (await sendForProblem({ path: '/things', query, headers: key })).problem.errors;
    expect(await errors('limit=0')).toMatchObject([{ field: 'query.limit' }]);
    expect(await errors('limit=ten')).toMatchObject([{ field: 'query.limit' }]);
    expect(await errors('limits=1')).toEqual([{ field: 'query.limits', message: 'is not a known field' }]);
    expect(await errors('limit=1&limit=2')).toEqual([
      { field: 'query.limit', message: 'is given more than once' },
    ]);
    expect(await errors('__proto__=1')).toEqual([
      { field: 'query.__proto__', message: 'is not a known field' },
    ]);
  });

  it('is told where its JSON breaks', async () => {
    const headers = { ...key, 'content-type': 'application/json' };
    const { problem } = await sendForProblem({ ...create, headers, body: '{"type": full}' });
    expect(problem.errors).toEqual([
      { field: 'body', message: 'is not JSON at position 9 (line 1, column 10)' },
    ]);
    expect(problem.detail).toBe('body: is not JSON at position 9 (line 1, column 10).');
  });

  it('is refused when it holds a body where none is taken', async () => {
    const { problem } = await sendForProblem({ method: 'POST', path: '/act', body: { force: true } });
    expect(problem.errors).toEqual([{ field: 'body', message: 'this request takes no body' }]);
  });

  it('is refused for its size with 413, before it is parsed', async () => {
    const body = `{"type":"${'x'.repeat(maximumBodyBytes)}`;
    const { problem } = await sendForProblem({
      ...create,
      headers: { ...key, 'content-type': 'application/json' },
      body,
    });
    expect(problem.status).toBe(413);
  });

  it.each([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no content type', {}],
    ['another charset', { 'content-type': 'application/json; charset=latin1' }],
    ['a content encoding', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    ['a type that only looks like JSON', { 'content-type': 'text/json-ish' }],
  ])('is refused with 415 for %s', async (_name, headers) => {
    const { problem } = await sendForProblem({
      ...create,
      headers: { ...key, ...headers },
      body: '{"type":"small"}',
    });
    expect(problem.status).toBe(415);
  });

  it('is refused when its body is not UTF-8', async () => {
    const event = httpEvent({ ...create, headers: { ...key, 'content-type': 'application/json' } });
    const body = Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('base64');
    const result = await handler({ ...event, body, isBase64Encoded: true }, lambdaContext());
    expect(JSON.parse(result.body ?? '')).toMatchObject({
      status: 400,
      errors: [{ field: 'body', message: 'is not UTF-8 text' }],
    });
  });

  it('is refused without a key before anything of it is parsed', async () => {
    const { problem } = await sendForProblem({ ...create, body: 'not even JSON' });
    expect(problem.status).toBe(401);
  });

  it('is answered 404 at a path that the function does not serve', async () => {
    const { problem } = await sendForProblem({ routeKey: '$default', path: '/nowhere' });
    expect(problem).toMatchObject({ status: 404, type: '/docs#problem-not-found', instance: '/nowhere' });
  });
});

describe('a handler that fails', () => {
  it('is answered with its own problem, and its members', async () => {
    const { problem } = await sendForProblem({ ...fail, body: { how: 'problem' } });
    expect(problem).toMatchObject({
      status: 409,
      title: 'Conflict',
      detail: 'It runs already.',
      runningId: 'x1',
    });
    expect(takeRecords().filter(({ level }) => level === 'ERROR')).toEqual([]);
  });

  it('is answered 500 without internals, and logged once with its stack and without secrets', async () => {
    const result = await sendForProblem({ ...fail, body: { how: 'error' } });
    expect(result.problem.status).toBe(500);
    expect(result.body).not.toMatch(/task|secret|msk_|Error:|\.ts/);
    const output = takeOutput();
    expect(output.join('\n')).not.toContain(secretInAnError);
    const errors = output.map((line) => JSON.parse(line)).filter(({ level }) => level === 'ERROR');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      traceId: result.problem.traceId,
      route: 'POST /fail',
      error: {
        message: 'cannot open /var/task/secret with msk_…',
        stack: expect.stringContaining('example.ts'),
      },
    });
    expect(result.headers['X-Content-Type-Options']).toBe('nosniff');
  });

  it('is answered 503 where a later attempt may succeed', async () => {
    const { problem, headers } = await sendForProblem({ ...fail, body: { how: 'throttled' } });
    expect([problem.status, headers['retry-after']]).toEqual([503, '1']);
  });

  it('is answered 503 before Lambda ends the invocation', async () => {
    const { problem } = await sendForProblem({ ...fail, body: { how: 'slow' } }, 400);
    expect(problem).toMatchObject({ status: 503, detail: 'The request took too long.' });
  });
});

describe('every request', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

  it('leaves its trace id in every line and in its problem', async () => {
    await send({ method: 'POST', path: '/act', headers: { traceparent } });
    const { problem } = await sendForProblem({ ...fail, headers: { traceparent }, body: { how: 'error' } });
    expect(problem.traceId).toBe(traceId);
    const records = takeRecords();
    expect(records.length).toBeGreaterThanOrEqual(4);
    for (const record of records) expect(record.traceId).toBe(traceId);
  });

  it('does not inherit what an earlier one left in the log', async () => {
    await send({ path: '/things', headers: { ...key, traceparent } });
    takeOutput();
    await send({ method: 'POST', path: '/act' });
    const text = takeOutput().join('\n');
    expect(text).not.toContain(traceId);
    expect(text).not.toContain('tenant-1');
  });

  it('is counted and timed for its route, and for the function as a whole', async () => {
    await send({ path: '/things', headers: key });
    const [metrics] = takeRecords();
    expect(metrics).toMatchObject({
      _aws: {
        CloudWatchMetrics: [
          {
            Namespace: 'Mainstay/test',
            Dimensions: [['service', 'route'], ['service']],
            Metrics: [
              { Name: 'Requests', Unit: 'Count' },
              { Name: 'ClientErrors', Unit: 'Count' },
              { Name: 'ServerErrors', Unit: 'Count' },
              { Name: 'Latency', Unit: 'Milliseconds' },
            ],
          },
        ],
      },
      route: 'GET /things',
      status: '200',
      keyId: 'abcdefgh',
      tenant: 'tenant-1',
      Requests: 1,
      ClientErrors: 0,
      ServerErrors: 0,
      Latency: expect.any(Number),
    });
  });

  it('that fails is counted as an error of the caller or of the server', async () => {
    await send({ path: '/things' });
    await send({ ...fail, body: { how: 'error' } });
    const counts = takeRecords().filter((record) => 'Requests' in record);
    expect(counts).toMatchObject([
      { ClientErrors: 1, ServerErrors: 0, status: '401' },
      { ClientErrors: 0, ServerErrors: 1, status: '500' },
    ]);
  });
});

describe('the gate', () => {
  const headers = { ...key, 'idempotency-key': 'k-1' };

  it('adds its headers to every answer, to problems and failures as well', async () => {
    const answers = [
      await send({ path: '/ping' }),
      await send({ path: '/things', query: 'limit=99', headers: key }),
      await send({ ...fail, body: { how: 'problem' } }),
      await send({ ...fail, body: { how: 'error' } }),
      await send({ path: '/nowhere' }),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 400, 409, 500, 404]);
    for (const answer of answers) expect(answer.headers.ratelimit).toBe('"example";r=9;t=60');
  });

  it('keeps what becomes of a change, and nothing of a read or of a request that is not accepted', async () => {
    await send({ ...create, headers: key, body: { type: 'small' } });
    await send({ path: '/things', headers: key });
    await send({ ...create, headers: key, body: { type: 'huge' } });
    await send({ ...fail, body: { how: 'problem' } });
    await send({ ...fail, body: { how: 'error' } });
    expect(gateLog).toEqual([
      { record: '/things/{thingId}', status: 201, location: '/things/abc' },
      { record: '/fail', status: 409 },
      { record: '/fail', status: 500 },
    ]);
  });

  it('runs what creates something once per Idempotency-Key, and only that', async () => {
    await send({ ...create, headers, body: { type: 'small' } });
    await send({ method: 'POST', path: '/act', headers });
    expect(gateLog).toEqual([
      { once: 'k-1', input: { params: { thingId: 'abc' }, query: {}, body: { type: 'small' } } },
      { record: '/things/{thingId}', status: 201, location: '/things/abc' },
      { record: '/act', status: 204 },
    ]);
  });
});

describe('the work id of a handler', () => {
  const ulid = expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/);

  it('is the one that the gate gives with an Idempotency-Key, and otherwise a new one for each request', async () => {
    const headers = { 'x-api-key': 'k', 'idempotency-key': 'k-1' };
    await send({ ...create, headers, body: { type: 'small' } });
    expect(seen).toMatchObject([{ workId: workIdOfGate }]);
    seen.length = 0;
    await send({ ...create, headers: { 'x-api-key': 'k' }, body: { type: 'small' } });
    await send({ ...create, headers: { 'x-api-key': 'k' }, body: { type: 'small' } });
    expect(seen).toMatchObject([{ workId: ulid }, { workId: ulid }]);
    expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(2);
  });
});

describe('a function that is put together wrongly', () => {
  const handlers = () => ({ ping: () => ({ status: 200 as const, body: 'x' }) });
  const open = { ...exampleContract, routes: { ping: exampleContract.routes.ping } };

  it('does not start without the environment of its contract, and names what is missing', () => {
    const functionContract = {
      environment: z.object({ TABLE: z.string(), OTHER_ARN: z.string().startsWith('arn:') }),
    };
    const start = () =>
      httpFunction({
        contract: open,
        functionContract,
        gate: () => {
          throw new Error('not reached');
        },
        handlers,
        environment: { OTHER_ARN: 'not an arn' },
      });
    expect(start).toThrow(/TABLE is not set; OTHER_ARN: .*arn:/);
    expect(start).not.toThrow(/not an arn/);
  });
});
