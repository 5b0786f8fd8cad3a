import type { RestApi } from '../aws/api.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import { fetchOverHttp } from './http-origin.ts';
import type { FetchOrigin } from './origin.ts';
import { fetchFromBucket } from './s3-origin.ts';

export interface OriginsParts {
  s3: RestApi;
  authorizer: Authorizer;
  region: string;
  accountId: string;
  /** Where the HTTP API is served. */
  apiUrl: () => string;
}

/** Finds what stands behind the domain names of a template's origins: buckets and the API here, anything else by DNS. */
export function originsOver({ apiUrl, ...parts }: OriginsParts): FetchOrigin {
  return async (distribution, origin, request) => {
    if ('S3OriginConfig' in origin) {
      const bucket = /^(.+)\.s3(?:\.[a-z0-9-]+)?\.amazonaws\.com$/.exec(origin.DomainName)?.[1];
      if (bucket === undefined) throw new Error(`${origin.DomainName} is not the name of a bucket.`);
      return fetchFromBucket(parts, bucket, distribution, request);
    }
    const { OriginProtocolPolicy, HTTPPort, HTTPSPort, OriginReadTimeout } = origin.CustomOriginConfig;
    const secure = OriginProtocolPolicy === 'https-only';
    const base = /\.execute-api\.[a-z0-9-]+\.amazonaws\.com$/.test(origin.DomainName)
      ? new URL(apiUrl())
      : new URL(`${secure ? 'https' : 'http'}://${origin.DomainName}:${secure ? HTTPSPort : HTTPPort}`);
    return fetchOverHttp(base, request, OriginReadTimeout * 1000);
  };
}
