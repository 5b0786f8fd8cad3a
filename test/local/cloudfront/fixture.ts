import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AwsEndpoint } from '../../../local/aws/endpoint.ts';
import { CloudFront, type CloudFrontOptions } from '../../../local/cloudfront/cloudfront.ts';
import { distributionProperties } from '../../../local/cloudfront/definition.ts';
import { originsOver } from '../../../local/cloudfront/origins.ts';
import { cloudFrontResources } from '../../../local/provision/resources/cloudfront.ts';
import { S3Service } from '../../../local/s3/s3-service.ts';
import { accountId, type EmulatedAws, region, startAws } from '../aws/emulated-aws.ts';

export const bucket = 'assets-of-the-test';

/** What an origin answers to a request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestEdge {
  aws: EmulatedAws;
  cloudFront: CloudFront;
  distributionId: string;
  /** What the origin over HTTP was asked, as `GET /path`. */
  asked: string[];
  /** Replaces what the origin over HTTP answers. */
  answerWith(answer: Answer): void;
  /** Moves the clock of the edge. */
  pass(seconds: number): void;
  put(key: string, body: string, options?: { type?: string; tags?: string }): Promise<void>;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Got>;
  create(logicalId: string, type: string, properties: Record<string, unknown>): { ref: string };
  close(): Promise<void>;
}

export interface Got {
  status: number;
  headers: Headers;
  text: string;
  /** `Hit`, `Miss`, … of `x-cache`. */
  cache: string;
}

const policy = (name: string, ttl: [min: number, usual: number, max: number], query = 'none') => ({
  CachePolicyConfig: {
    ...{ Name: name, MinTTL: ttl[0], DefaultTTL: ttl[1], MaxTTL: ttl[2] },
    ParametersInCacheKeyAndForwardedToOrigin: {
      CookiesConfig: { CookieBehavior: 'none' },
      EnableAcceptEncodingBrotli: true,
      EnableAcceptEncodingGzip: true,
      HeadersConfig: { HeaderBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: query },
    },
  },
});

/**
 * An edge in front of a bucket and of an origin over HTTP: `/api/*` is passed through, `/live/*` is kept as the origin
 * says (default 60 s, at most 600 s, the query is part of the key), everything else comes from the bucket (an hour).
 */
export async function startEdge(
  options: Partial<CloudFrontOptions> & {
    config?: Record<string, unknown>;
    behaviors?: readonly object[];
  } = {},
): Promise<TestEdge> {
  const { config = {}, behaviors = [], ...edgeOptions } = options;
  let now = Date.now();
  let answer: Answer = (_, response) => void response.end('ok');
  const asked: string[] = [];
  const origin: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const port = await new Promise<number>((resolve) => {
    origin.listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = origin.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  let s3: S3Service | undefined;
  let cloudFront: CloudFront | undefined;
  const aws = await startAws(async ({ directory, authorizer }) => {
    const kms = {
      useBy: () => {
        throw new Error('no keys here');
      },
    };
    s3 = new S3Service({ directory: `${directory}/s3`, authorizer, kms });
    await s3.start();
    cloudFront = new CloudFront({
      accountId,
      invalidationMs: 5,
      now: () => now,
      fetch: originsOver({
        s3: s3.api,
        authorizer,
        region,
        accountId,
        apiUrl: () => `http://127.0.0.1:${port}`,
      }),
      ...edgeOptions,
    });
    await cloudFront.start();
    return [s3.api, cloudFront.api];
  });
  if (s3 === undefined || cloudFront === undefined) throw new Error('nothing has been started');
  const [store, front] = [s3, cloudFront];
  const resources = cloudFrontResources(front);
  const create: TestEdge['create'] = (logicalId, type, properties) => {
    const made = resources[type]?.({
      ...{ stackName: 'Test', logicalId, type, properties },
      assembly: { stacks: [], assetPath: () => '' },
    });
    if (made === undefined || made instanceof Promise) throw new Error(`${type} is not made at once`);
    return made;
  };
  const files = create('Files', 'AWS::CloudFront::CachePolicy', policy('files', [0, 3600, 86_400])).ref;
  const live = create('Live', 'AWS::CloudFront::CachePolicy', policy('live', [0, 60, 600], 'all')).ref;
  const access = create('Access', 'AWS::CloudFront::OriginAccessControl', {
    OriginAccessControlConfig: {
      ...{
        Name: 'files',
        OriginAccessControlOriginType: 's3',
        SigningBehavior: 'always',
        SigningProtocol: 'sigv4',
      },
    },
  }).ref;
  const custom = (OriginProtocolPolicy: string) => ({ HTTPPort: port, OriginProtocolPolicy });
  const distributionId = create('Distribution', 'AWS::CloudFront::Distribution', {
    DistributionConfig: distributionProperties.shape.DistributionConfig.parse({
      Enabled: true,
      DefaultRootObject: 'index.html',
      CacheTagConfig: { HeaderName: 'x-amz-meta-cache-tag' },
      DefaultCacheBehavior: {
        ...{ CachePolicyId: files, TargetOriginId: 'files', Compress: true },
        ViewerProtocolPolicy: 'redirect-to-https',
      },
      CacheBehaviors: [
        {
          ...{ PathPattern: '/api/*', TargetOriginId: 'api', ViewerProtocolPolicy: 'https-only' },
          AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
          CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
          OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
        },
        {
          ...{ PathPattern: '/live/*', TargetOriginId: 'api', ViewerProtocolPolicy: 'https-only' },
          CachePolicyId: live,
        },
        ...behaviors,
      ],
      Origins: [
        {
          ...{ Id: 'files', DomainName: `${bucket}.s3.amazonaws.com`, OriginAccessControlId: access },
          S3OriginConfig: {},
        },
        { Id: 'api', DomainName: '127.0.0.1', CustomOriginConfig: custom('http-only') },
      ],
      ...config,
    }),
  }).ref;
  store.ensureBucket({ name: bucket });
  store.setBucketPolicy(bucket, readableBy(front.arnOf('distribution', distributionId)));
  const call = (endpoint: AwsEndpoint, input: Record<string, unknown>) =>
    endpoint.call({ kind: 'operator', arn: 'operator' }, 's3', 'PutObject', { Bucket: bucket, ...input });
  return {
    aws,
    cloudFront: front,
    distributionId,
    asked,
    answerWith: (next) => {
      answer = next;
    },
    pass: (seconds) => {
      now += seconds * 1000;
    },
    put: async (key, body, { type = 'text/plain', tags } = {}) => {
      const metadata = tags === undefined ? {} : { Metadata: { 'cache-tag': tags } };
      await call(aws.endpoint, { Key: key, Body: body, ContentType: type, ...metadata });
    },
    get: async (path, headers = {}, method = 'GET') => {
      const response = await fetch(`http://${front.domainName}${path}`, {
        method,
        headers,
        redirect: 'manual',
      });
      const text = await response.text();
      const cache = (response.headers.get('x-cache') ?? '').replace(' from cloudfront', '');
      return { status: response.status, headers: response.headers, text, cache };
    },
    create,
    close: async () => {
      await front.stop();
      origin.closeAllConnections();
      origin.close();
      await aws.close();
      await store.stop();
    },
  };
}

function readableBy(arn: string): Record<string, unknown> {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        ...{ Effect: 'Allow', Principal: { Service: 'cloudfront.amazonaws.com' }, Action: 's3:GetObject' },
        Resource: `arn:aws:s3:::${bucket}/*`,
        Condition: { StringEquals: { 'aws:SourceAccount': accountId }, ArnLike: { 'aws:SourceArn': arn } },
      },
    ],
  };
}
