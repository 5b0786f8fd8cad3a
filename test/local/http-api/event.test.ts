import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { functionArn, HttpApiFixture } from './fixture.ts';

const fixture = new HttpApiFixture();

beforeAll(() =>
  fixture.start({
    routes: [
      { routeKey: '$default', functionArn },
      { routeKey: 'POST /items/{id}/parts/{rest+}', functionArn: `${functionArn}:live` },
      { routeKey: 'ANY /any', functionArn },
    ],
    stageVariables: { a: 'b' },
  }),
);
afterAll(() => fixture.api.stop());

describe('the event a function gets', () => {
  it('has every member of payload format 2.0', async () => {
    const url = new URL(fixture.api.url);
    const before = Date.now();
    const response = await fetch(
      `${url.origin}/items/a%20b/parts/x/%C3%A9?repeat=one&repeat=two&plus=a+b%2Bc&empty=&e=https%3A%2F%2Fx`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          cookie: 'session=1;theme=dark ',
          'X-Custom': 'Value',
          'user-agent': 'tester',
          'x-forwarded-for': '203.0.113.9',
        },
        body: '{"text":"λ"}',
      },
    );
    expect(response.status).toBe(200);
    const path = '/items/a b/parts/x/é';
    const requestId = response.headers.get('apigw-requestid');
    expect(fixture.event).toEqual({
      version: '2.0',
      routeKey: 'POST /items/{id}/parts/{rest+}',
      rawPath: path,
      rawQueryString: 'repeat=one&repeat=two&plus=a+b%2Bc&empty=&e=https%3A%2F%2Fx',
      cookies: ['session=1', 'theme=dark'],
      headers: expect.objectContaining({
        'content-length': '13',
        'content-type': 'application/json',
        host: url.host,
        'user-agent': 'tester',
        'x-amzn-trace-id': expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
        'x-custom': 'Value',
        'x-forwarded-for': '203.0.113.9, 127.0.0.1',
        'x-forwarded-port': url.port,
        'x-forwarded-proto': 'http',
      }),
      queryStringParameters: { repeat: 'one,two', plus: 'a b+c', empty: '', e: 'https://x' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'abc123',
        domainName: url.host,
        domainPrefix: 'abc123',
        http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'tester' },
        requestId,
        routeKey: 'POST /items/{id}/parts/{rest+}',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      pathParameters: { id: 'a b', rest: 'x/é' },
      stageVariables: { a: 'b' },
      body: '{"text":"λ"}',
      isBase64Encoded: false,
    });
    expect(fixture.event).not.toHaveProperty('headers.cookie');
    expect(fixture.event).not.toHaveProperty('headers.connection');
    expect(requestId).toMatch(/^[\w+/]{15}=$/);
    expect(fixture.event).toHaveProperty('requestContext.timeEpoch', expect.any(Number));
    expect(Date.now() - before).toBeLessThan(5000);
    expect(fixture.calls.at(-1)).toMatchObject({
      functionArn: `${functionArn}:live`,
      sourceArn: 'arn:aws:execute-api:us-east-1:000000000000:abc123/$default/POST/items/{id}/parts/{rest+}',
    });
  });

  it('has no members for what a request does not have', async () => {
    await fetch(fixture.api.url);
    for (const name of ['body', 'cookies', 'pathParameters', 'queryStringParameters']) {
      expect(fixture.event).not.toHaveProperty(name);
    }
    expect(fixture.event).toMatchObject({ rawPath: '/', rawQueryString: '', isBase64Encoded: false });
    expect(fixture.calls.at(-1)?.sourceArn).toMatch(/:abc123\/\$default\/\$default$/);
    await fetch(`${fixture.api.url}/any`, { method: 'DELETE' });
    expect(fixture.calls.at(-1)?.sourceArn).toMatch(/:abc123\/\$default\/\*\/any$/);
  });

  it('joins repeated headers and keeps the trace a client brings', async () => {
    const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1';
    await fixture.raw(
      `GET / HTTP/1.1\r\nHost: h\r\nX-Many: 1\r\nx-many: 2,3\r\nX-Amzn-Trace-Id: ${trace}\r\nConnection: close\r\n\r\n`,
    );
    expect(fixture.event).toMatchObject({
      headers: { 'x-many': '1,2,3', 'x-amzn-trace-id': trace, host: 'h' },
    });
    expect(fixture.calls.at(-1)?.traceHeader).toBe(trace);
  });

  it.each([
    ['text/plain', 'text', 'text', false],
    ['application/problem+json; charset=utf-8', '{}', '{}', false],
    ['image/svg+xml', '<svg/>', Buffer.from('<svg/>').toString('base64'), true],
    ['application/octet-stream', 'text', 'dGV4dA==', true],
    ['application/x-www-form-urlencoded', 'a=b', 'YT1i', true],
    ['application/json', Buffer.from([0x7b, 0xff, 0x7d]), 'e/99', true],
  ])('has a body of type %s as text or as base64', async (type, body, expected, isBase64Encoded) => {
    await fetch(fixture.api.url, { method: 'POST', headers: { 'content-type': type }, body });
    expect(fixture.event).toMatchObject({ body: expected, isBase64Encoded });
  });

  it('has the path as it was sent, decoded once and never normalised', async () => {
    const paths = [
      '/../../etc/passwd',
      '//a//b/',
      '/a/./b',
      '/a/%2e%2e/b',
      '/%252e%252e/',
      '/a%2Fb',
      '/a;b=c',
    ];
    const seen: unknown[] = [];
    for (const path of paths) {
      await fixture.raw(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      seen.push(fixture.event.rawPath);
    }
    expect(seen).toEqual(['/../../etc/passwd', '//a//b/', '/a/./b', '/a/../b', '/%2e%2e/', '/a/b', '/a;b=c']);
  });

  it('takes a whole URL as a target, as a proxy would be sent', async () => {
    await fixture.raw('GET http://elsewhere.example/p?q=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(fixture.event).toMatchObject({ rawPath: '/p', rawQueryString: 'q=1' });
  });
});
