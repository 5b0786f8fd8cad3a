import * as z from 'zod';
import type { RestResponse } from '../../aws/api.ts';
import { S3Error } from '../errors.ts';
import { createBucketRecord, deleteBucketRecord } from '../store/bucket-rules.ts';
import { emptyAnswer, ownerId, xmlAnswer } from './answers.ts';
import type { S3Call } from './call.ts';
import { readInteger } from './integers.ts';
import { decodeToken, encodeToken } from './listing-parameters.ts';
import { document, element, field, timestamp } from './xml.ts';
import { readXml, xmlText } from './xml-reader.ts';

const largestRequest = 64 * 1024;

/** ListBuckets. */
export function listBuckets(call: S3Call): RestResponse {
  call.authorize('s3:ListAllMyBuckets', '*');
  const prefix = call.query('prefix');
  const token = call.query('continuation-token');
  const limit = readInteger(call.query('max-buckets'), {
    name: 'max-buckets',
    minimum: 1,
    maximum: 10_000,
    message: 'Argument max-buckets must be an integer between 1 and 10000',
  });
  const after = token === undefined ? '' : decodeToken(token);
  const found = call.store.buckets.list().filter(({ name }) => name.startsWith(prefix ?? '') && name > after);
  const page = found.slice(0, limit);
  const last = page.length < found.length ? page.at(-1) : undefined;
  const items = page.map((bucket) =>
    element(
      'Bucket',
      field('Name', bucket.name),
      field('CreationDate', timestamp(bucket.createdAt)),
      field('BucketRegion', call.environment.region),
    ),
  );
  return xmlAnswer(
    document(
      'ListAllMyBucketsResult',
      element('Buckets', ...items),
      element('Owner', field('ID', ownerId(call.environment.accountId))),
      field('Prefix', prefix),
      field('ContinuationToken', last && encodeToken(last.name)),
    ),
  );
}

/** CreateBucket. In us-east-1 creating what one has already is no error. */
export async function createBucket(call: S3Call): Promise<RestResponse> {
  const objectLock = call.header('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true';
  call.authorize('s3:CreateBucket', call.bucketArn);
  if (objectLock) {
    call.authorize('s3:PutBucketObjectLockConfiguration', call.bucketArn);
    call.authorize('s3:PutBucketVersioning', call.bucketArn);
  }
  const { region } = call.environment;
  requireOwnRegion(await call.request.buffer(largestRequest), region);
  if (call.store.buckets.get(call.bucketName) && region !== 'us-east-1') {
    throw new S3Error(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      409,
      { BucketName: call.bucketName },
    );
  }
  createBucketRecord(call.store, { name: call.bucketName, objectLock });
  return emptyAnswer(200, { location: `/${call.bucketName}` });
}

/** DeleteBucket. @throws `BucketNotEmpty` (409) while there is any version. */
export function deleteBucket(call: S3Call): RestResponse {
  call.bucket();
  call.authorize('s3:DeleteBucket', call.bucketArn);
  deleteBucketRecord(call.store, call.bucketName);
  return emptyAnswer(204);
}

/** HeadBucket. */
export function headBucket(call: S3Call): RestResponse {
  call.bucket();
  call.authorize('s3:ListBucket', call.bucketArn);
  return emptyAnswer(200, {
    'content-type': 'application/xml',
    'x-amz-bucket-region': call.environment.region,
    'x-amz-access-point-alias': 'false',
  });
}

/** GetBucketLocation. us-east-1 has no name here, for historical reasons of S3. */
export function getBucketLocation(call: S3Call): RestResponse {
  call.bucket();
  call.authorize('s3:GetBucketLocation', call.bucketArn);
  const { region } = call.environment;
  return xmlAnswer(document('LocationConstraint', region === 'us-east-1' ? '' : region));
}

function requireOwnRegion(body: Buffer, region: string): void {
  if (body.length === 0) return;
  const schema = z.union([z.object({ LocationConstraint: xmlText.optional() }), z.string()]);
  const configuration = readXml(body, 'CreateBucketConfiguration', schema);
  const location = typeof configuration === 'string' ? undefined : configuration.LocationConstraint;
  if (location === undefined || location === region) return;
  throw new S3Error(
    'IllegalLocationConstraintException',
    `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    400,
  );
}
