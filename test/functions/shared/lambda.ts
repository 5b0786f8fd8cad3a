import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';

/** What a test says about a request; all else is as API Gateway would send it. */
export interface RequestParts {
  method?: string;
  path?: string;
  /** Default: method and path. */
  routeKey?: string;
  params?: Record<string, string>;
  query?: string;
  headers?: Record<string, string>;
  /** Sent as JSON unless it is text already. */
  body?: unknown;
  base64?: boolean;
  sourceIp?: string;
}

/** An event of payload format 2.0, with the shape that API Gateway gives it. */
export function httpEvent(parts: RequestParts = {}): APIGatewayProxyEventV2 {
  const { method = 'GET', path = '/', query = '', params, body, base64 = false } = parts;
  const routeKey = parts.routeKey ?? `${method} ${path}`;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const json = body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' };
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: query,
    headers: { host: 'api.example.com', ...json, ...parts.headers },
    ...(params === undefined ? {} : { pathParameters: params }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: {
        method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: parts.sourceIp ?? '192.0.2.1',
        userAgent: 'test',
      },
      requestId: 'request-1',
      routeKey,
      stage: '$default',
      time: '20/Nov/2026:10:00:00 +0000',
      timeEpoch: Date.UTC(2026, 10, 20, 10),
    },
    ...(text === undefined ? {} : { body: base64 ? Buffer.from(text).toString('base64') : text }),
    isBase64Encoded: base64,
  };
}

/** The context of an invocation that has `remainingMs` left. */
export function lambdaContext(remainingMs = 30_000): Context {
  const deadline = performance.now() + remainingMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'test-function',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:test-function',
    memoryLimitInMB: '512',
    awsRequestId: 'c0ffee00-0000-4000-8000-000000000000',
    logGroupName: '/aws/lambda/test-function',
    logStreamName: 'stream',
    getRemainingTimeInMillis: () => Math.max(0, deadline - performance.now()),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
