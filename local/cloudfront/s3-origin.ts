import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { RestApi } from '../aws/api.ts';
import type { Principal } from '../aws/operation.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { Distribution } from './definition.ts';
import type { OriginAnswer, OriginRequest } from './origin.ts';

export interface S3OriginParts {
  s3: Pick<RestApi, 'handle'>;
  authorizer: Pick<Authorizer, 'check'>;
  region: string;
  accountId: string;
}

/**
 * Asks a bucket under origin access control: CloudFront signs by itself, in the name of the distribution, and the
 * bucket's policy has to let it.
 */
export async function fetchFromBucket(
  { s3, authorizer, region, accountId }: S3OriginParts,
  bucket: string,
  distribution: Distribution,
  request: OriginRequest,
): Promise<OriginAnswer> {
  const principal: Principal = {
    kind: 'service',
    arn: 'cloudfront.amazonaws.com',
    sourceArn: distribution.arn,
  };
  const [path = '/', query = ''] = request.url.split('?', 2);
  const {
    status,
    headers = {},
    body,
  } = await s3.handle({
    principal,
    method: request.method,
    rawPath: `/${bucket}${path}`,
    query: new URLSearchParams(query),
    origin: `https://s3.${region}.amazonaws.com`,
    // What `authorization` says is that the request is signed by a header.
    headers: { ...request.headers, authorization: 'AWS4-HMAC-SHA256' },
    body: request.body ?? Readable.from([]),
    contentLength: undefined,
    payloadSha256: undefined,
    trailers: () => ({}),
    buffer: async () => Buffer.alloc(0),
    authorize: (authorizations) => {
      for (const authorization of authorizations) authorizer.check(principal, authorization);
    },
    signal: request.signal,
    context: { principal, region, accountId, requestId: randomUUID() },
  });
  return {
    status,
    headers: {
      ...Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
      ),
      server: 'AmazonS3',
      date: new Date().toUTCString(),
    },
    body: body instanceof Readable ? body : Readable.from(body === undefined ? [] : [Buffer.from(body)]),
  };
}
