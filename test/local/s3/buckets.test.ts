import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetBucketWebsiteCommand,
  GetObjectAclCommand,
  GetObjectLockConfigurationCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CorsRule, LifecycleRule } from '../../../local/s3/model.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

let emulated: EmulatedS3;
const lifecycle: LifecycleRule[] = [
  {
    id: 'everything',
    enabled: true,
    prefix: 'backups/',
    tags: { kind: 'chunk' },
    sizeGreaterThan: 10,
    expiration: { days: 30 },
    noncurrentVersionExpiration: { noncurrentDays: 7, newerNoncurrentVersions: 2 },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
    transitions: [{ days: 3, storageClass: 'STANDARD_IA' }],
  },
  { id: 'markers', enabled: false, expiration: { expiredObjectDeleteMarker: true } },
];
const cors: CorsRule[] = [
  {
    allowedOrigins: ['https://*.example.com'],
    allowedMethods: ['GET', 'PUT'],
    allowedHeaders: ['x-amz-*'],
    exposeHeaders: ['ETag'],
    maxAgeSeconds: 60,
  },
];

beforeAll(async () => {
  emulated = await startS3();
  const { arn } = emulated.s3.ensureBucket({
    name: 'full',
    objectLock: true,
    defaultRetention: { mode: 'GOVERNANCE', years: 1 },
    lifecycle,
    cors,
    eventBridge: true,
    tags: { team: 'ops' },
    ownership: 'ObjectWriter',
    publicAccessBlock: {
      blockPublicAcls: true,
      ignorePublicAcls: false,
      blockPublicPolicy: true,
      restrictPublicBuckets: false,
    },
  });
  expect(arn).toBe('arn:aws:s3:::full');
  emulated.s3.ensureBucket({ name: 'bare' });
});
afterAll(() => emulated.close());

const Bucket = 'full';
const bare = { Bucket: 'bare' };

describe('the settings of a bucket', () => {
  it('are answered as S3 answers them', async () => {
    const { client } = emulated;
    expect(await client.send(new GetBucketVersioningCommand({ Bucket }))).toMatchObject({
      Status: 'Enabled',
    });
    expect(await client.send(new GetObjectLockConfigurationCommand({ Bucket }))).toMatchObject({
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Years: 1 } },
      },
    });
    expect(await client.send(new GetBucketTaggingCommand({ Bucket }))).toMatchObject({
      TagSet: [{ Key: 'team', Value: 'ops' }],
    });
    expect(await client.send(new GetBucketOwnershipControlsCommand({ Bucket }))).toMatchObject({
      OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] },
    });
    expect(await client.send(new GetPublicAccessBlockCommand({ Bucket }))).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        IgnorePublicAcls: false,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: false,
      },
    });
    expect(await client.send(new GetBucketNotificationConfigurationCommand({ Bucket }))).toMatchObject({
      EventBridgeConfiguration: {},
    });
    expect(await client.send(new GetBucketCorsCommand({ Bucket }))).toMatchObject({
      CORSRules: [
        {
          AllowedOrigins: ['https://*.example.com'],
          AllowedMethods: ['GET', 'PUT'],
          AllowedHeaders: ['x-amz-*'],
          ExposeHeaders: ['ETag'],
          MaxAgeSeconds: 60,
        },
      ],
    });
  });

  it('include lifecycle rules in every detail', async () => {
    const answer = await emulated.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(answer.Rules).toEqual([
      {
        ID: 'everything',
        Status: 'Enabled',
        Filter: {
          And: { Prefix: 'backups/', Tags: [{ Key: 'kind', Value: 'chunk' }], ObjectSizeGreaterThan: 10 },
        },
        Expiration: { Days: 30 },
        NoncurrentVersionExpiration: { NoncurrentDays: 7, NewerNoncurrentVersions: 2 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        Transitions: [{ Days: 3, StorageClass: 'STANDARD_IA' }],
      },
      {
        ID: 'markers',
        Status: 'Disabled',
        Filter: { Prefix: '' },
        Expiration: { ExpiredObjectDeleteMarker: true },
      },
    ]);
  });

  it('that are not set are errors with names, or defaults', async () => {
    const { client } = emulated;
    expect((await client.send(new GetBucketVersioningCommand(bare))).Status).toBeUndefined();
    await expect(client.send(new GetBucketPolicyCommand(bare))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
    });
    await expect(client.send(new GetBucketCorsCommand(bare))).rejects.toMatchObject({
      name: 'NoSuchCORSConfiguration',
    });
    await expect(client.send(new GetBucketTaggingCommand(bare))).rejects.toMatchObject({
      name: 'NoSuchTagSet',
    });
    await expect(client.send(new GetBucketLifecycleConfigurationCommand(bare))).rejects.toMatchObject({
      name: 'NoSuchLifecycleConfiguration',
    });
    await expect(client.send(new GetObjectLockConfigurationCommand(bare))).rejects.toMatchObject({
      name: 'ObjectLockConfigurationNotFoundError',
    });
    const encryption = await client.send(new GetBucketEncryptionCommand(bare));
    expect(encryption.ServerSideEncryptionConfiguration?.Rules?.[0]).toMatchObject({
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
    });
    const block = await client.send(new GetPublicAccessBlockCommand(bare));
    expect(Object.values(block.PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true]);
    expect((await client.send(new GetBucketLocationCommand(bare))).LocationConstraint).toBeUndefined();
  });
});

describe('buckets', () => {
  it('are created, found, listed and deleted', async () => {
    const { client } = emulated;
    const created = { Bucket: 'created' };
    await client.send(new CreateBucketCommand(created));
    await client.send(new CreateBucketCommand(created));
    expect(await client.send(new HeadBucketCommand(created))).toMatchObject({ BucketRegion: 'us-east-1' });
    const listed = await client.send(new ListBucketsCommand({}));
    expect(listed.Buckets?.map(({ Name }) => Name)).toEqual(['bare', 'created', 'full']);
    const page = await client.send(new ListBucketsCommand({ MaxBuckets: 1, Prefix: '' }));
    expect(page.Buckets?.map(({ Name }) => Name)).toEqual(['bare']);
    const rest = await client.send(
      new ListBucketsCommand({ ContinuationToken: page.ContinuationToken, Prefix: 'f' }),
    );
    expect(rest.Buckets?.map(({ Name }) => Name)).toEqual(['full']);
    await client.send(new DeleteBucketCommand(created));
    await expect(client.send(new HeadBucketCommand(created))).rejects.toMatchObject({ name: 'NotFound' });
    expect(emulated.s3.bucketNames()).toEqual(['bare', 'full']);
  });

  it('are not deleted while there is anything in them', async () => {
    const full = { Bucket: 'has-object' };
    await emulated.client.send(new CreateBucketCommand({ ...full, ObjectLockEnabledForBucket: true }));
    await emulated.client.send(new PutObjectCommand({ ...full, Key: 'k', Body: 'x' }));
    await expect(emulated.client.send(new DeleteBucketCommand(full))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
      $metadata: { httpStatusCode: 409 },
    });
  });

  it.each(['A', 'ab', 'Upper-case', 'under_score', '-dash', '10.0.0.1', 'two..dots'])(
    'are not called %s',
    (name) => {
      expect(() => emulated.s3.ensureBucket({ name })).toThrow('The specified bucket is not valid');
    },
  );

  it('may be named by host instead of path', async () => {
    await emulated.client.send(new PutObjectCommand({ ...bare, Key: 'by-host', Body: 'x' }));
    const url = new URL(`${emulated.aws.endpoint.url}/by-host`);
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const call = request(url, { headers: { host: 'bare.s3.us-east-1.localhost' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on('error', reject).end();
    });
    // Found, and refused to a stranger: without the bucket it would be 404.
    expect(status).toBe(403);
  });

  it('belong to one account', async () => {
    await expect(
      emulated.client.send(new HeadBucketCommand({ ...bare, ExpectedBucketOwner: '111111111111' })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });
});

describe('tags of an object', () => {
  it('are replaced as a whole', async () => {
    const object = { ...bare, Key: 'tagged' };
    await emulated.client.send(new PutObjectCommand({ ...object, Body: 'x', Tagging: 'a=1&b=%26%3D' }));
    const read = async () => (await emulated.client.send(new GetObjectTaggingCommand(object))).TagSet;
    expect(await read()).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '&=' },
    ]);
    const TagSet = [{ Key: '__proto__', Value: '<é>' }];
    await emulated.client.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet } }));
    expect(await read()).toEqual(TagSet);
    await emulated.client.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [] } }));
    expect(await read()).toEqual([]);
  });
});

describe('requests from a browser', () => {
  const url = () => `${emulated.aws.endpoint.url}/full/key`;
  const ask = (origin: string, method: string, headers?: string) =>
    fetch(url(), {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        ...(headers && { 'access-control-request-headers': headers }),
      },
    });

  it('are announced and allowed by the rules of the bucket', async () => {
    const answer = await ask('https://www.example.com', 'PUT', 'x-amz-date');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://www.example.com');
    expect(answer.headers.get('access-control-allow-headers')).toBe('x-amz-date');
    expect(answer.headers.get('access-control-max-age')).toBe('60');
    const read = await fetch(url(), { headers: { origin: 'https://www.example.com' } });
    expect(read.headers.get('access-control-expose-headers')).toBe('ETag');
  });

  it('are refused from other origins, with other methods and headers', async () => {
    expect((await ask('https://example.org', 'PUT')).status).toBe(403);
    expect((await ask('https://www.example.com', 'DELETE')).status).toBe(403);
    expect((await ask('https://www.example.com', 'PUT', 'authorization')).status).toBe(403);
    const read = await fetch(url(), { headers: { origin: 'https://example.org' } });
    expect(read.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('what is not emulated', () => {
  it('is refused by the name of its operation', async () => {
    const { client } = emulated;
    const calls = {
      PutBucketVersioning: () =>
        client.send(
          new PutBucketVersioningCommand({ ...bare, VersioningConfiguration: { Status: 'Enabled' } }),
        ),
      GetBucketWebsite: () => client.send(new GetBucketWebsiteCommand(bare)),
      GetObjectAcl: () => client.send(new GetObjectAclCommand({ ...bare, Key: 'k' })),
      RestoreObject: () => client.send(new RestoreObjectCommand({ ...bare, Key: 'k' })),
    };
    for (const [operation, call] of Object.entries(calls)) {
      await expect(call()).rejects.toMatchObject({
        name: 'NotEmulated',
        message: expect.stringContaining(`s3:${operation}`),
        $metadata: { httpStatusCode: 501 },
      });
    }
  });

  it('is a method S3 does not have at all', async () => {
    const answer = await fetch(`${emulated.aws.endpoint.url}/bare`, { method: 'PATCH' });
    expect(answer.status).toBe(405);
    expect(await answer.text()).toContain('<Code>MethodNotAllowed</Code>');
  });
});
