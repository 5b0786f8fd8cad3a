import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AwsError } from '../../../local/aws/operation.ts';
import type { HttpApiDefinition } from '../../../local/http-api/definition.ts';
import type { HttpApiOptions } from '../../../local/http-api/http-api.ts';
import { functionArn, HttpApiFixture } from './fixture.ts';

let fixture: HttpApiFixture;
afterEach(() => fixture.api.stop());

async function started(
  definition: Partial<HttpApiDefinition> = {},
  options: Partial<HttpApiOptions> = {},
): Promise<string> {
  fixture = new HttpApiFixture(options);
  await fixture.start(definition);
  return fixture.api.url;
}

/** Status and body. */
async function get(url: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.text() };
}

describe('the response of a function', () => {
  it('is passed on with status, headers, cookies and body', async () => {
    const url = await started();
    fixture.returns({
      statusCode: 201,
      headers: { 'X-Number': 1, 'content-type': 'text/x', Connection: 'close', 'Content-Length': '999' },
      cookies: ['a=1; Secure', 'b=2'],
      body: 'made é',
    });
    const response = await fetch(url);
    expect(response.status).toBe(201);
    expect(await response.text()).toBe('made é');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Secure', 'b=2']);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-number': '1',
      'content-type': 'text/x',
      connection: 'keep-alive',
      'content-length': '7',
    });
  });

  it.each([
    ['an object', { a: 1 }, '{"a":1}'],
    ['a text', 'plain', 'plain'],
    ['a number', 5, '5'],
    ['nothing', null, 'null'],
    ['a list', [1], '[1]'],
  ])('is JSON when it is %s', async (_, result, body) => {
    const url = await started();
    fixture.returns(result);
    const response = await fetch(url);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/json',
      body,
    ]);
  });

  it('is bytes when it is base64', async () => {
    const url = await started();
    fixture.returns({
      statusCode: 200,
      headers: { 'content-type': 'image/x' },
      body: 'AP8=',
      isBase64Encoded: true,
    });
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(Buffer.from([0, 255]));
  });

  it('has a type of its own when the function names none', async () => {
    const url = await started();
    fixture.returns({ statusCode: '204' });
    expect(await get(url)).toEqual({ status: 204, body: '' });
    fixture.returns({ statusCode: 200, body: 'x' });
    expect((await fetch(url)).headers.get('content-type')).toBe('text/plain;charset=UTF-8');
  });

  it('has no body for HEAD', async () => {
    const url = await started();
    fixture.returns({ statusCode: 200, body: 'x' });
    expect(await get(url, { method: 'HEAD' })).toEqual({ status: 200, body: '' });
  });

  it.each([
    ['a status that is none', { statusCode: 'many' }],
    ['an informational status', { statusCode: 101 }],
    ['a body that is an object', { statusCode: 200, body: { a: 1 } }],
    ['a header that would add another', { statusCode: 200, headers: { a: 'b\r\nset-cookie: c' } }],
    ['a cookie that would add a header', { statusCode: 200, cookies: ['a\r\nb: c'] }],
    ['a header name that is none', { statusCode: 200, headers: { 'a b': 'c' } }],
  ])('is an error with %s', async (_, result) => {
    const url = await started();
    fixture.returns(result);
    expect(await get(url)).toEqual({ status: 500, body: '{"message":"Internal Server Error"}' });
  });
});

describe('what the gateway answers by itself', () => {
  it.each([
    [
      'a function that fails',
      async () => ({ payload: '{}', functionError: 'Unhandled' }),
      500,
      'Internal Server Error',
    ],
    [
      'a permission that lacks',
      () => Promise.reject(new AwsError('AccessDenied', 'no', 403)),
      500,
      'Internal Server Error',
    ],
    [
      'a function that is throttled',
      () => Promise.reject(new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429)),
      503,
      'Service Unavailable',
    ],
    [
      'an event too large for the function',
      () => Promise.reject(new AwsError('RequestEntityTooLargeException', 'large', 413)),
      413,
      'Request Entity Too Large',
    ],
    ['an accident', () => Promise.reject(new Error('broken')), 500, 'Internal Server Error'],
  ])('to %s', async (_, respond, status, message) => {
    const url = await started();
    fixture.respond = respond;
    expect(await get(url)).toEqual({ status, body: JSON.stringify({ message }) });
  });

  it('to a function that takes too long', async () => {
    const url = await started({ routes: [{ routeKey: '$default', functionArn, timeoutMs: 50 }] });
    fixture.respond = () => new Promise(() => undefined);
    expect(await get(url)).toEqual({ status: 503, body: '{"message":"Service Unavailable"}' });
  });

  it('to a path without a route', async () => {
    const url = await started({ routes: [{ routeKey: 'GET /a', functionArn }] });
    expect(await get(`${url}/a`, { method: 'POST', body: 'x' })).toEqual({
      status: 404,
      body: '{"message":"Not Found"}',
    });
    expect((await fetch(`${url}/b`)).headers.get('content-type')).toBe('application/json');
    expect(fixture.calls).toEqual([]);
  });

  it('below a stage that has a name', async () => {
    const url = await started({ stage: 'prod', routes: [{ routeKey: 'GET /a', functionArn }] });
    expect((await get(`${url}/prod/a`)).status).toBe(200);
    expect(fixture.event).toMatchObject({ rawPath: '/prod/a', requestContext: { stage: 'prod' } });
    expect((await get(`${url}/a`)).status).toBe(404);
    expect((await get(`${url}/production/a`)).status).toBe(404);
  });

  it('to a body that is too large, whether or not it says so', async () => {
    const url = await started();
    const tooLarge = { status: 413, body: '{"message":"Request Entity Too Large"}' };
    const limit = 10 * 1024 * 1024;
    expect(await get(url, { method: 'POST', body: Buffer.alloc(limit + 1) })).toEqual(tooLarge);
    const stream = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent <= limit; sent += limit / 4) controller.enqueue(new Uint8Array(limit / 4));
        controller.close();
      },
    });
    expect(await get(url, { method: 'POST', body: stream, duplex: 'half' })).toEqual(tooLarge);
    expect(fixture.calls).toEqual([]);
    expect((await get(url, { method: 'POST', body: Buffer.alloc(limit) })).status).toBe(200);
  });

  it('without asking for a body that is too large', async () => {
    await started();
    const head = (length: number): string =>
      `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n`;
    const refused = await fixture
      .raw(`${head(11 * 1024 * 1024)}Connection: close\r\n\r\n`)
      .then((text) => text.split('\r\n')[0]);
    expect(refused).toBe('HTTP/1.1 413 Payload Too Large');
    const { hostname, port } = new URL(fixture.api.url);
    const socket = connect(Number(port), hostname);
    socket.write(`${head(2)}\r\n`);
    expect(String((await once(socket, 'data'))[0])).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('ok');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  it('to a head that is too large', async () => {
    const url = await started();
    const tooLarge = { status: 431, body: '{"message":"Request Header Fields Too Large"}' };
    expect(await get(url, { headers: { 'x-large': 'x'.repeat(10_240) } })).toEqual(tooLarge);
    expect(await get(`${url}/${'x'.repeat(10_240)}`)).toEqual(tooLarge);
    expect(await fixture.raw(`GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(fixture.calls).toEqual([]);
  });

  it.each([
    ['a path with a broken escape', 'GET /%zz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'],
    ['a path with bytes that are no text', 'GET /%ff HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'],
    ['a path that is none', 'OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'],
    ['bytes that are no request', 'hello\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('to %s', async (_, text) => {
    await started();
    const answer = await fixture.raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/\{"message":"Bad Request"\}$/);
    expect(fixture.calls).toEqual([]);
  });

  it('to more requests than the stage or a route may have', async () => {
    const url = await started({
      routes: [
        { routeKey: '$default', functionArn },
        { routeKey: 'GET /rare', functionArn, throttle: { rateLimit: 0.001, burstLimit: 1 } },
      ],
      throttle: { rateLimit: 0.001, burstLimit: 2 },
    });
    const statuses = async (path: string): Promise<number[]> => {
      const seen: number[] = [];
      for (let count = 0; count < 3; count += 1) seen.push((await get(url + path)).status);
      return seen;
    };
    expect(await statuses('/')).toEqual([200, 200, 429]);
    expect(await statuses('/rare')).toEqual([200, 429, 429]);
    expect((await get(url)).body).toBe('{"message":"Too Many Requests"}');
  });
});

describe('cross-origin access', () => {
  const cors = {
    allowOrigins: ['https://app.example'],
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['authorization'],
    exposeHeaders: ['x-total'],
    allowCredentials: true,
    maxAgeSeconds: 300,
  };

  it('is told to a browser that asks, without a function', async () => {
    const url = await started({ cors });
    const ask = (origin: string): Promise<Response> =>
      fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    const allowed = await ask('https://app.example');
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'authorization',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '300',
    });
    expect((await ask('https://other.example')).headers.has('access-control-allow-origin')).toBe(false);
    expect(fixture.calls).toEqual([]);
  });

  it('is added to responses in place of what a function says', async () => {
    const url = await started({ cors });
    fixture.returns({ statusCode: 200, headers: { 'access-control-allow-origin': '*' } });
    const { headers } = await fetch(url, { headers: { origin: 'https://app.example' } });
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(headers.get('access-control-expose-headers')).toBe('x-total');
    expect((await fetch(url)).headers.has('access-control-allow-origin')).toBe(false);
  });

  it('is the function’s matter when the API has no configuration', async () => {
    const url = await started();
    fixture.returns({ statusCode: 200, headers: { 'access-control-allow-origin': 'https://x' } });
    const headers = { origin: 'https://x', 'access-control-request-method': 'GET' };
    const response = await fetch(url, { method: 'OPTIONS', headers });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://x');
  });

  it('can be for all origins, or all of a scheme', async () => {
    const url = await started({ cors: { allowOrigins: ['*'] } });
    const allowed = async (): Promise<string | null> =>
      (await fetch(url, { headers: { origin: 'https://any.example' } })).headers.get(
        'access-control-allow-origin',
      );
    expect(await allowed()).toBe('*');
    fixture.define({ cors: { allowOrigins: ['https://*'] } });
    expect(await allowed()).toBe('https://any.example');
    fixture.define({ cors: { allowOrigins: ['http://*'] } });
    expect(await allowed()).toBeNull();
  });
});

describe('the access log', () => {
  it('has a line per request in the configured format', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mainstay-http-api-'));
    const accessLogFile = join(directory, 'access.log');
    const lines: string[] = [];
    const contexts: unknown[] = [];
    const format = JSON.stringify({
      id: '$context.requestId',
      route: '$context.routeKey',
      status: '$context.status',
      agent: '$context.identity.userAgent',
      ip: '$context.identity.sourceIp',
      problem: '$context.integrationErrorMessage',
      unknown: '$context.authorizer.claims.sub',
    });
    const url = await started(
      { accessLog: { format } },
      { accessLogFile, onRequest: (context) => contexts.push(context) },
    );
    fixture.api.onAccessLog((line) => lines.push(line));
    fixture.respond = async () => ({ payload: '{}', functionError: 'Unhandled', requestId: 'r' });
    const response = await fetch(url, { headers: { 'user-agent': '","status":"200' } });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        id: response.headers.get('apigw-requestid'),
        route: '$default',
        status: '500',
        agent: '","status":"200',
        ip: '127.0.0.1',
        problem: 'The Lambda function returned an error',
        unknown: '-',
      },
    ]);
    expect(readFileSync(accessLogFile, 'utf8')).toBe(`${lines[0]}\n`);
    expect(contexts).toMatchObject([
      { status: 500, responseLatency: expect.any(Number), integrationStatus: 200 },
    ]);
    rmSync(directory, { recursive: true });
  });

  it('keeps a line a line in a plain format', async () => {
    const lines: string[] = [];
    const url = await started({
      accessLog: {
        format: '$context.httpMethod $context.path $context.protocol $context.status $context.responseLength',
      },
    });
    fixture.api.onAccessLog((line) => lines.push(line));
    fixture.returns({ statusCode: 200, body: 'four' });
    await fetch(`${url}/a%0ab?secret=1`);
    expect(lines).toEqual(['GET /a%0ab HTTP/1.1 200 4']);
  });
});

describe('the port', () => {
  it('is the preferred one, or a free one when that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const preferredPort = typeof address === 'object' && address !== null ? address.port : 0;
    const url = await started({}, { preferredPort });
    expect(new URL(url).port).not.toBe(String(preferredPort));
    expect((await get(url)).status).toBe(200);
    await fixture.api.stop();
    other.close();
    await once(other, 'close');
    expect(await started({}, { preferredPort })).toBe(`http://127.0.0.1:${preferredPort}`);
  });

  it('serves one API', async () => {
    await started();
    expect(() => fixture.define({ apiId: 'other' })).toThrow('other');
  });

  it('answers 404 before there is an API', async () => {
    fixture = new HttpApiFixture();
    expect(() => fixture.api.url).toThrow('not been started');
    await fixture.api.start();
    expect((await get(fixture.api.url)).status).toBe(404);
  });

  it('keeps connections open, and a stop ends them after their request', async () => {
    const url = await started({}, { stopGraceMs: 5000 });
    const { hostname, port } = new URL(url);
    const idle = connect(Number(port), hostname);
    idle.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(idle, 'data');
    fixture.respond = () => sleep(100, { payload: '"late"' });
    const running = get(url);
    while (fixture.calls.length < 2) await sleep(5);
    const closed = once(idle, 'close');
    await fixture.api.stop();
    await closed;
    expect(await running).toEqual({ status: 200, body: 'late' });
    await fixture.api.stop();
  });

  it('lets go of requests that a stop finds running for too long', async () => {
    const url = await started({}, { stopGraceMs: 50 });
    fixture.respond = () => new Promise(() => undefined);
    const running = get(url).catch(() => 'cut');
    while (fixture.calls.length < 1) await sleep(5);
    await fixture.api.stop();
    expect(await running).toBe('cut');
  });

  it('lets go of clients that never finish their request', async () => {
    await started({}, { headersTimeoutMs: 100, requestTimeoutMs: 200 });
    expect(await fixture.raw('GET / HTTP/1.1\r\nHost: ')).toMatch(
      /^HTTP\/1\.1 408 [\s\S]*\{"message":"Request Timeout"\}$/,
    );
    await fixture.raw('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc');
    expect(fixture.calls).toEqual([]);
  });
});
