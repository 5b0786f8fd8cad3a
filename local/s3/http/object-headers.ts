import { invalidArgument, invalidRequest, notEmulated, S3Error } from '../errors.ts';
import type { Bucket, Encryption, ObjectAttributes, Retention } from '../model.ts';
import { requireObjectLock } from '../store/object-lock.ts';
import type { S3Call } from './call.ts';
import type { DeclaredChecksums } from './checksum-headers.ts';
import { parseTagHeader } from './tags.ts';

const keptHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'x-amz-website-redirect-location',
];
const metadataPrefix = 'x-amz-meta-';
const largestMetadata = 2048;

const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
]);

/** What the headers of a write say about the object, apart from its bytes. */
export function readObjectAttributes(call: S3Call, bucket: Bucket): ObjectAttributes {
  refuseAcl(call, bucket);
  const retention = readRetention(call, bucket);
  const legalHold = readLegalHold(call, bucket);
  return {
    ...readContentAttributes(call),
    tags: parseTagHeader(call.header('x-amz-tagging')),
    encryption: readEncryption(call, bucket),
    ...(retention && { retention }),
    legalHold,
  };
}

/** Content headers and user metadata. @throws `MetadataTooLarge` (400). */
export function readContentAttributes(call: S3Call): Pick<ObjectAttributes, 'headers' | 'metadata'> {
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of keptHeaders) {
    const value = call.header(name);
    if (value) headers[name] = value;
  }
  const metadata = new Map<string, string>();
  let size = 0;
  for (const name of Object.keys(call.request.headers)) {
    if (!name.startsWith(metadataPrefix)) continue;
    const value = call.header(name) ?? '';
    metadata.set(name.slice(metadataPrefix.length), value);
    size += name.length - metadataPrefix.length + Buffer.byteLength(value);
  }
  if (size > largestMetadata) {
    throw new S3Error(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
      400,
      {
        Size: size,
        MaxSizeAllowed: largestMetadata,
      },
    );
  }
  return { headers, metadata: Object.fromEntries(metadata) };
}

export function readStorageClass(call: S3Call): string {
  const storageClass = call.header('x-amz-storage-class') ?? 'STANDARD';
  if (storageClasses.has(storageClass)) return storageClass;
  throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid', 400, {
    StorageClassRequested: storageClass,
  });
}

/** The encryption asked for, or the bucket's default. */
export function readEncryption(call: S3Call, bucket: Bucket): Encryption {
  const algorithm = call.header('x-amz-server-side-encryption');
  const key = call.header('x-amz-server-side-encryption-aws-kms-key-id');
  const bucketKey = call.header('x-amz-server-side-encryption-bucket-key-enabled');
  if (call.header('x-amz-server-side-encryption-customer-algorithm') !== undefined) {
    throw notEmulated('encryption with customer-provided keys (SSE-C)');
  }
  if (call.header('x-amz-server-side-encryption-context') !== undefined) {
    throw notEmulated('x-amz-server-side-encryption-context');
  }
  if (algorithm === undefined) {
    if (key === undefined) return resolved(call, bucket.encryption);
    throw invalidArgument(
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
      'x-amz-server-side-encryption',
    );
  }
  if (algorithm === 'AES256') return { algorithm };
  if (algorithm !== 'aws:kms' && algorithm !== 'aws:kms:dsse') {
    throw invalidArgument(
      'The encryption method specified is not supported',
      'x-amz-server-side-encryption',
      algorithm,
    );
  }
  const usesBucketKey =
    bucketKey === undefined ? bucket.encryption.bucketKey === true : bucketKey.toLowerCase() === 'true';
  const keyArn = key ?? bucket.encryption.keyArn;
  return resolved(call, {
    algorithm,
    ...(keyArn !== undefined && { keyArn }),
    ...(usesBucketKey && { bucketKey: true }),
  });
}

/** Ids and aliases become the ARN of the key they stand for now. */
function resolved(call: S3Call, encryption: Encryption): Encryption {
  return encryption.keyArn === undefined
    ? encryption
    : { ...encryption, keyArn: call.keyArn(encryption.keyArn) };
}

/** S3 wants to be sure of the bytes before it locks them. */
export function requireChecksumForLock(
  bucket: Bucket,
  attributes: ObjectAttributes,
  declared: DeclaredChecksums,
): void {
  const locks =
    attributes.retention || attributes.legalHold || (bucket.objectLock && bucket.defaultRetention);
  if (locks && !declared.md5 && !declared.algorithm) {
    throw invalidRequest(
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
  }
}

function readRetention(call: S3Call, bucket: Bucket): Retention | undefined {
  const mode = call.header('x-amz-object-lock-mode');
  const until = call.header('x-amz-object-lock-retain-until-date');
  if (mode === undefined && until === undefined) return undefined;
  if (mode === undefined || until === undefined) {
    throw invalidArgument(
      'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
    );
  }
  requireObjectLock(bucket);
  return parseRetention(mode, until, call.store.now());
}

/** A retention from its parts as sent. @throws `InvalidArgument` (400). */
export function parseRetention(mode: string, until: string, now: number): Retention {
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') throw invalidArgument('Unknown wormMode directive.');
  const time = Date.parse(until);
  if (Number.isNaN(time)) {
    throw invalidArgument('The retain until date must be provided in ISO 8601 format');
  }
  if (time <= now) throw invalidArgument('The retain until date must be in the future!');
  return { mode, until: time };
}

function readLegalHold(call: S3Call, bucket: Bucket): boolean {
  const status = call.header('x-amz-object-lock-legal-hold');
  if (status === undefined) return false;
  if (status !== 'ON' && status !== 'OFF') throw invalidArgument('Legal Hold must be either of ON or OFF');
  requireObjectLock(bucket);
  return status === 'ON';
}

function refuseAcl(call: S3Call, bucket: Bucket): void {
  const acl = call.header('x-amz-acl');
  const grants = Object.keys(call.request.headers).some((name) => name.startsWith('x-amz-grant-'));
  if (!grants && (acl === undefined || acl === 'bucket-owner-full-control')) return;
  if (bucket.ownership === 'BucketOwnerEnforced') {
    throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs', 400);
  }
  if (grants || acl !== 'private') throw notEmulated('access control lists');
}
