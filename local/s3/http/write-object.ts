import type { RestResponse } from '../../aws/api.ts';
import { invalidRequest } from '../errors.ts';
import type { Bucket, ObjectAttributes, StoredVersion } from '../model.ts';
import { requireCondition, type WriteCondition } from '../store/object-store.ts';
import { checksumHeaders, emptyAnswer, encryptionHeaders, quoted, versionHeaders } from './answers.ts';
import { writeContext } from './authorization.ts';
import type { S3Call } from './call.ts';
import { readDeclaredChecksums } from './checksum-headers.ts';
import { readWriteCondition } from './conditions.ts';
import { readObjectAttributes, readStorageClass, requireChecksumForLock } from './object-headers.ts';
import { receiveBody } from './receive-body.ts';

/** PutObject. */
export async function putObject(call: S3Call): Promise<RestResponse> {
  const bucket = call.bucket();
  if (call.header('x-amz-write-offset-bytes') !== undefined) {
    throw invalidRequest('x-amz-write-offset-bytes is only for directory buckets');
  }
  const attributes = readObjectAttributes(call, bucket);
  const storageClass = readStorageClass(call);
  const condition = readWriteCondition(call);
  const declared = readDeclaredChecksums(call);
  authorizeWrite(call, attributes, condition);
  call.authorizeKey(attributes.encryption, ['kms:GenerateDataKey']);
  requireChecksumForLock(bucket, attributes, declared);
  // Told before the body is sent where that is possible; what counts is the check at the commit.
  requireCondition(call.store.find(bucket.name, call.key), call.key, condition);

  const createdAt = call.store.now();
  const { file, etag, checksum } = await receiveBody(call, declared, {
    algorithm: declared.algorithm ?? 'CRC64NVME',
    encryption: attributes.encryption,
  });
  const version = call.store.put(
    bucket.name,
    {
      key: call.key,
      createdAt,
      size: file.size,
      etag,
      storageClass,
      attributes: { ...attributes, checksum },
    },
    [file],
    { condition, cause: call.cause },
  );
  return emptyAnswer(200, writtenHeaders(bucket, version));
}

/** What the answer to a write says of the new version. */
export function writtenHeaders(bucket: Bucket, version: StoredVersion): Record<string, string> {
  const { encryption, checksum } = version.attributes;
  return {
    etag: quoted(version.etag),
    ...versionHeaders(bucket, version),
    ...encryptionHeaders(encryption),
    ...checksumHeaders(checksum),
  };
}

/** Throws `AccessDenied` unless the caller may write an object with these attributes. */
export function authorizeWrite(
  call: S3Call,
  attributes: Pick<ObjectAttributes, 'tags' | 'retention' | 'legalHold'>,
  condition: WriteCondition = {},
): void {
  const context = writeContext(call);
  call.authorize('s3:PutObject', call.objectArn, context);
  if (Object.keys(attributes.tags).length > 0) {
    call.authorize('s3:PutObjectTagging', call.objectArn, context);
  }
  if (attributes.retention) {
    const days = Math.ceil((attributes.retention.until - call.store.now()) / 86_400_000);
    call.authorize('s3:PutObjectRetention', call.objectArn, {
      ...context,
      's3:object-lock-remaining-retention-days': String(days),
    });
  }
  if (attributes.legalHold) call.authorize('s3:PutObjectLegalHold', call.objectArn, context);
  // Comparing with what is stored reads it.
  if (condition.ifMatch !== undefined) call.authorize('s3:GetObject', call.objectArn);
}
