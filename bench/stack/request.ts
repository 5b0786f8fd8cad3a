import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';

/** A GET as API Gateway hands it over (payload format 2.0). */
export function requestWith(key: string): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: 'GET /things',
    rawPath: '/things',
    rawQueryString: 'limit=7',
    headers: {
      host: 'api.example.com',
      accept: 'application/json',
      'x-api-key': key,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: {
        method: 'GET',
        path: '/things',
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: 'bench',
      },
      requestId: 'request',
      routeKey: 'GET /things',
      stage: '$default',
      time: '21/Nov/2026:10:00:00 +0000',
      timeEpoch: Date.UTC(2026, 10, 21, 10),
    },
    isBase64Encoded: false,
  };
}

/** The context of an invocation that has half a minute. */
export function contextOf(): Context {
  const deadline = performance.now() + 30_000;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'bench',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:bench',
    memoryLimitInMB: '512',
    awsRequestId: 'request',
    logGroupName: 'bench',
    logStreamName: 'bench',
    getRemainingTimeInMillis: () => deadline - performance.now(),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
