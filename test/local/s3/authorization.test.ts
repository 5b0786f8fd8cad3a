import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { allow } from '../aws/emulated-aws.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'authorized';
const bucketArn = `arn:aws:s3:::${Bucket}`;
const objectArn = `${bucketArn}/key`;
const retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 86_400_000) } as const;

let emulated: EmulatedS3;
let VersionId: string;
let UploadId: string;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket, objectLock: true });
  const put = await emulated.client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' }));
  VersionId = put.VersionId ?? '';
  const begun = await emulated.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'key' }));
  UploadId = begun.UploadId ?? '';
});
afterAll(() => emulated.close());

type Call = (client: S3Client) => Promise<unknown>;
const object = { Bucket, Key: 'key' };
const version = () => ({ ...object, VersionId });
const upload = () => ({ ...object, UploadId });
const CopySource = `${Bucket}/key`;

// Operation, what it needs of IAM, and one call. Each entry is also the reviewed table of S3's actions.
const table: [string, [action: string, resource: string][], Call][] = [
  ['ListBuckets', [['s3:ListAllMyBuckets', '*']], (c) => c.send(new ListBucketsCommand({}))],
  [
    'CreateBucket',
    [['s3:CreateBucket', 'arn:aws:s3:::other']],
    (c) => c.send(new CreateBucketCommand({ Bucket: 'other' })),
  ],
  [
    'DeleteBucket',
    [['s3:DeleteBucket', 'arn:aws:s3:::other']],
    (c) => c.send(new DeleteBucketCommand({ Bucket: 'other' })),
  ],
  ['HeadBucket', [['s3:ListBucket', bucketArn]], (c) => c.send(new HeadBucketCommand({ Bucket }))],
  [
    'GetBucketLocation',
    [['s3:GetBucketLocation', bucketArn]],
    (c) => c.send(new GetBucketLocationCommand({ Bucket })),
  ],
  [
    'GetBucketVersioning',
    [['s3:GetBucketVersioning', bucketArn]],
    (c) => c.send(new GetBucketVersioningCommand({ Bucket })),
  ],
  [
    'GetBucketPolicy',
    [['s3:GetBucketPolicy', bucketArn]],
    (c) => c.send(new GetBucketPolicyCommand({ Bucket })),
  ],
  [
    'GetBucketEncryption',
    [['s3:GetEncryptionConfiguration', bucketArn]],
    (c) => c.send(new GetBucketEncryptionCommand({ Bucket })),
  ],
  [
    'GetObjectLockConfiguration',
    [['s3:GetBucketObjectLockConfiguration', bucketArn]],
    (c) => c.send(new GetObjectLockConfigurationCommand({ Bucket })),
  ],
  [
    'GetBucketLifecycleConfiguration',
    [['s3:GetLifecycleConfiguration', bucketArn]],
    (c) => c.send(new GetBucketLifecycleConfigurationCommand({ Bucket })),
  ],
  [
    'GetPublicAccessBlock',
    [['s3:GetBucketPublicAccessBlock', bucketArn]],
    (c) => c.send(new GetPublicAccessBlockCommand({ Bucket })),
  ],
  ['GetBucketCors', [['s3:GetBucketCORS', bucketArn]], (c) => c.send(new GetBucketCorsCommand({ Bucket }))],
  [
    'GetBucketTagging',
    [['s3:GetBucketTagging', bucketArn]],
    (c) => c.send(new GetBucketTaggingCommand({ Bucket })),
  ],
  [
    'GetBucketOwnershipControls',
    [['s3:GetBucketOwnershipControls', bucketArn]],
    (c) => c.send(new GetBucketOwnershipControlsCommand({ Bucket })),
  ],
  [
    'GetBucketNotificationConfiguration',
    [['s3:GetBucketNotification', bucketArn]],
    (c) => c.send(new GetBucketNotificationConfigurationCommand({ Bucket })),
  ],
  ['ListObjects', [['s3:ListBucket', bucketArn]], (c) => c.send(new ListObjectsCommand({ Bucket }))],
  ['ListObjectsV2', [['s3:ListBucket', bucketArn]], (c) => c.send(new ListObjectsV2Command({ Bucket }))],
  [
    'ListObjectVersions',
    [['s3:ListBucketVersions', bucketArn]],
    (c) => c.send(new ListObjectVersionsCommand({ Bucket })),
  ],
  [
    'ListMultipartUploads',
    [['s3:ListBucketMultipartUploads', bucketArn]],
    (c) => c.send(new ListMultipartUploadsCommand({ Bucket })),
  ],
  ['PutObject', [['s3:PutObject', objectArn]], (c) => c.send(new PutObjectCommand({ ...object, Body: 'x' }))],
  [
    'PutObject with tags',
    [
      ['s3:PutObject', objectArn],
      ['s3:PutObjectTagging', objectArn],
    ],
    (c) => c.send(new PutObjectCommand({ ...object, Body: 'x', Tagging: 'a=b' })),
  ],
  [
    'PutObject with a retention',
    [
      ['s3:PutObject', objectArn],
      ['s3:PutObjectRetention', objectArn],
    ],
    (c) =>
      c.send(
        new PutObjectCommand({
          ...object,
          Body: 'x',
          ObjectLockMode: 'GOVERNANCE',
          ObjectLockRetainUntilDate: retention.RetainUntilDate,
        }),
      ),
  ],
  [
    'PutObject with a legal hold',
    [
      ['s3:PutObject', objectArn],
      ['s3:PutObjectLegalHold', objectArn],
    ],
    (c) => c.send(new PutObjectCommand({ ...object, Body: 'x', ObjectLockLegalHoldStatus: 'ON' })),
  ],
  [
    'PutObject with If-Match',
    [
      ['s3:PutObject', objectArn],
      ['s3:GetObject', objectArn],
    ],
    (c) => c.send(new PutObjectCommand({ ...object, Body: 'x', IfMatch: '*' })),
  ],
  ['GetObject', [['s3:GetObject', objectArn]], (c) => c.send(new GetObjectCommand(object))],
  [
    'GetObject of a version',
    [['s3:GetObjectVersion', objectArn]],
    (c) => c.send(new GetObjectCommand(version())),
  ],
  ['HeadObject', [['s3:GetObject', objectArn]], (c) => c.send(new HeadObjectCommand(object))],
  [
    'HeadObject of a version',
    [['s3:GetObjectVersion', objectArn]],
    (c) => c.send(new HeadObjectCommand(version())),
  ],
  [
    'GetObjectAttributes',
    [
      ['s3:GetObject', objectArn],
      ['s3:GetObjectAttributes', objectArn],
    ],
    (c) => c.send(new GetObjectAttributesCommand({ ...object, ObjectAttributes: ['ETag'] })),
  ],
  [
    'GetObjectAttributes of a version',
    [
      ['s3:GetObjectVersion', objectArn],
      ['s3:GetObjectVersionAttributes', objectArn],
    ],
    (c) => c.send(new GetObjectAttributesCommand({ ...version(), ObjectAttributes: ['ETag'] })),
  ],
  [
    'CopyObject',
    [
      ['s3:GetObject', objectArn],
      ['s3:PutObject', `${bucketArn}/copy`],
    ],
    (c) => c.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource })),
  ],
  [
    'DeleteObject',
    [['s3:DeleteObject', objectArn]],
    (c) => c.send(new DeleteObjectCommand({ Bucket, Key: 'key' })),
  ],
  [
    'GetObjectTagging',
    [['s3:GetObjectVersionTagging', objectArn]],
    (c) => c.send(new GetObjectTaggingCommand(version())),
  ],
  [
    'PutObjectTagging',
    [['s3:PutObjectVersionTagging', objectArn]],
    (c) =>
      c.send(new PutObjectTaggingCommand({ ...version(), Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } })),
  ],
  [
    'DeleteObjectTagging',
    [['s3:DeleteObjectVersionTagging', objectArn]],
    (c) => c.send(new DeleteObjectTaggingCommand(version())),
  ],
  [
    'PutObjectRetention',
    [['s3:PutObjectRetention', objectArn]],
    (c) => c.send(new PutObjectRetentionCommand({ ...version(), Retention: retention })),
  ],
  [
    'GetObjectRetention',
    [['s3:GetObjectRetention', objectArn]],
    (c) => c.send(new GetObjectRetentionCommand(version())),
  ],
  [
    'PutObjectLegalHold',
    [['s3:PutObjectLegalHold', objectArn]],
    (c) => c.send(new PutObjectLegalHoldCommand({ ...version(), LegalHold: { Status: 'OFF' } })),
  ],
  [
    'GetObjectLegalHold',
    [['s3:GetObjectLegalHold', objectArn]],
    (c) => c.send(new GetObjectLegalHoldCommand(version())),
  ],
  [
    'CreateMultipartUpload',
    [['s3:PutObject', objectArn]],
    (c) => c.send(new CreateMultipartUploadCommand(object)),
  ],
  [
    'UploadPart',
    [['s3:PutObject', objectArn]],
    (c) => c.send(new UploadPartCommand({ ...upload(), PartNumber: 1, Body: 'x' })),
  ],
  [
    'UploadPartCopy',
    [
      ['s3:GetObjectVersion', objectArn],
      ['s3:PutObject', objectArn],
    ],
    (c) =>
      c.send(
        new UploadPartCopyCommand({
          ...upload(),
          PartNumber: 2,
          CopySource: `${CopySource}?versionId=${VersionId}`,
        }),
      ),
  ],
  ['ListParts', [['s3:ListMultipartUploadParts', objectArn]], (c) => c.send(new ListPartsCommand(upload()))],
  [
    'CompleteMultipartUpload',
    [['s3:PutObject', objectArn]],
    (c) =>
      c.send(
        new CompleteMultipartUploadCommand({
          ...upload(),
          MultipartUpload: { Parts: [{ PartNumber: 9, ETag: 'x', ChecksumCRC32: 'AAAAAA==' }] },
        }),
      ),
  ],
  [
    'AbortMultipartUpload',
    [['s3:AbortMultipartUpload', objectArn]],
    (c) => c.send(new AbortMultipartUploadCommand(upload())),
  ],
];

/** What a call came to, as far as permissions are concerned. */
async function outcome(call: Call, statements: object[]): Promise<'allowed' | 'denied'> {
  try {
    await call(emulated.asRole(...statements));
  } catch (error) {
    const status =
      error instanceof Error && '$metadata' in error && error.$metadata instanceof Object
        ? error.$metadata
        : { httpStatusCode: undefined };
    return 'httpStatusCode' in status && status.httpStatusCode === 403 ? 'denied' : 'allowed';
  }
  return 'allowed';
}

describe('what operations need of IAM', () => {
  it.each(table)('%s needs all of its actions, and nothing else', async (_, needs, call) => {
    const statements = needs.map(([action, resource]) => allow(action, resource));
    for (const [index] of needs.entries()) {
      expect(await outcome(call, statements.toSpliced(index, 1))).toBe('denied');
    }
    expect(await outcome(call, statements)).toBe('allowed');
  });

  it('a version is deleted by its own action', async () => {
    const call: Call = (c) => c.send(new DeleteObjectCommand({ ...object, VersionId: 'null' }));
    expect(await outcome(call, [allow('s3:DeleteObject', objectArn)])).toBe('denied');
    expect(await outcome(call, [allow('s3:DeleteObjectVersion', objectArn)])).toBe('allowed');
  });

  it('each key of a batch is judged by itself', async () => {
    const client = emulated.asRole(allow('s3:DeleteObject', `${bucketArn}/mine/*`));
    const Objects = [{ Key: 'mine/a' }, { Key: 'yours/a' }];
    const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['mine/a']);
    expect(answer.Errors).toMatchObject([{ Key: 'yours/a', Code: 'AccessDenied' }]);
  });

  it('names principal, action and resource of what it refuses', async () => {
    const client = emulated.asRole(allow('s3:GetObject', objectArn));
    await expect(client.send(new PutObjectCommand({ ...object, Body: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::000000000000:assumed-role/test-role/mainstay is not authorized to perform: s3:PutObject on resource: "${objectArn}" because no identity-based policy allows the s3:PutObject action`,
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('tells only those who may list what is not there', async () => {
    const absent = { Bucket, Key: 'absent' };
    const blind = emulated.asRole(allow('s3:GetObject'));
    await expect(blind.send(new GetObjectCommand(absent))).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(blind.send(new HeadObjectCommand(absent))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    const seeing = emulated.asRole(allow('s3:GetObject'), allow('s3:ListBucket', bucketArn));
    await expect(seeing.send(new GetObjectCommand(absent))).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('lists only under a prefix where the policy says so', async () => {
    const condition = { StringLike: { 's3:prefix': 'backups/*' } };
    const client = emulated.asRole(allow('s3:ListBucket', bucketArn, condition));
    await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'backups/1' }));
    await expect(client.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('obeys the policy of the bucket, and counts its calls as made over TLS', async () => {
    const statement = { Principal: '*', Action: 's3:*', Resource: [bucketArn, `${bucketArn}/*`] };
    emulated.s3.setBucketPolicy(Bucket, {
      Version: '2012-10-17',
      Statement: [
        { ...statement, Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        { Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: `${bucketArn}/frozen` },
      ],
    });
    const client = emulated.asRole(allow('s3:*'));
    await client.send(new PutObjectCommand({ ...object, Body: 'x' }));
    await expect(
      client.send(new PutObjectCommand({ Bucket, Key: 'frozen', Body: 'x' })),
    ).rejects.toMatchObject({ message: expect.stringContaining('explicit deny in a resource-based policy') });
    const policy = await client.send(new GetBucketPolicyCommand({ Bucket }));
    expect(JSON.parse(policy.Policy ?? '').Statement).toHaveLength(2);
    emulated.s3.setBucketPolicy(Bucket, undefined);
  });

  it('can demand conditional writes by policy', async () => {
    const condition = { StringEquals: { 's3:if-none-match': '*' } };
    const client = emulated.asRole(allow('s3:PutObject', `${bucketArn}/*`, condition));
    await expect(client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'x' }))).rejects.toMatchObject(
      {
        name: 'AccessDenied',
      },
    );
    await client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'x', IfNoneMatch: '*' }));
  });

  it('serves strangers only from a bucket that is made public', async () => {
    const url = (bucket: string) => `${emulated.aws.endpoint.url}/${bucket}/page`;
    const policy = (bucket: string) => ({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` },
      ],
    });
    const open = {
      blockPublicAcls: false,
      ignorePublicAcls: false,
      blockPublicPolicy: false,
      restrictPublicBuckets: false,
    };
    emulated.s3.ensureBucket({ name: 'public', policy: policy('public'), publicAccessBlock: open });
    emulated.s3.ensureBucket({ name: 'shielded', policy: policy('shielded') });
    for (const bucket of ['public', 'shielded']) {
      await emulated.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'page', Body: 'hello' }));
    }
    expect(await (await fetch(url('public'))).text()).toBe('hello');
    expect((await fetch(url('shielded'))).status).toBe(403);
    expect((await fetch(url(Bucket))).status).toBe(403);
  });
});
