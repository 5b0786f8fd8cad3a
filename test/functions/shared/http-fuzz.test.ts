import './output.ts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { exampleContract, exampleFunction } from './example.ts';
import { httpEvent, lambdaContext } from './lambda.ts';

const seen: unknown[] = [];
const handler = exampleFunction(seen);
const routes = Object.values(exampleContract.routes).filter(({ path }) => path !== '/fail');

const headerName = fc.constantFrom(
  'content-type',
  'content-encoding',
  'authorization',
  'x-api-key',
  'traceparent',
  'accept',
);
const headerValue = fc.oneof(
  fc.constantFrom(
    'application/json',
    'text/plain',
    'application/json; charset=utf-8',
    'gzip',
    'Bearer x',
    '',
  ),
  fc.string(),
);
const requests = fc.record({
  route: fc.constantFrom(...routes),
  path: fc.oneof(fc.webPath(), fc.string({ unit: 'binary' })),
  thingId: fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('abc', '../..', '%2e%2e', '\0'),
  ),
  query: fc.oneof(
    fc.webQueryParameters(),
    fc.string(),
    fc.constantFrom('limit=1', 'limit=-1', '%', '&&=', 'limit=%ff'),
  ),
  headers: fc.dictionary(headerName, headerValue),
  body: fc.oneof(fc.constant(undefined), fc.json(), fc.string(), fc.string({ unit: 'binary' })),
  base64: fc.boolean(),
});

describe('the shared stack', () => {
  it('answers whatever is sent to it without an error of its own, and problems as problem details', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ route, thingId, ...request }) => {
        const event = httpEvent({
          ...request,
          method: route.method,
          routeKey: `${route.method} ${route.path}`,
          params: { thingId },
        });
        const { statusCode = 0, headers, body } = await handler(event, lambdaContext());
        expect(statusCode).toBeGreaterThanOrEqual(200);
        expect(statusCode).toBeLessThan(500);
        if (statusCode < 400) return;
        expect(headers?.['content-type']).toBe('application/problem+json');
        expect(JSON.parse(body ?? '')).toMatchObject({ status: statusCode, traceId: expect.any(String) });
      }),
      { numRuns: 800 },
    );
  });

  it('never lets a body through that the contract does not describe', async () => {
    const schema = exampleContract.routes.create.body;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (body) => {
        seen.length = 0;
        const event = httpEvent({
          method: 'POST',
          routeKey: 'POST /things/{thingId}',
          path: '/things/abc',
          params: { thingId: 'abc' },
          headers: { 'x-api-key': 'any', 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        const { statusCode } = await handler(event, lambdaContext());
        const valid = schema.safeParse(body).success;
        expect(statusCode).toBe(valid ? 201 : 400);
        expect(seen).toHaveLength(valid ? 1 : 0);
      }),
      { numRuns: 300 },
    );
  });
});
