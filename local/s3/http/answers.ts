import type { RestResponse } from '../../aws/api.ts';
import type { Bucket, Checksum, Encryption, StoredVersion } from '../model.ts';

/** An answer in XML. */
export function xmlAnswer(
  xml: string,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): RestResponse {
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body: xml };
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): RestResponse {
  return { status, headers: { ...headers, ...(status !== 204 && { 'content-length': '0' }) } };
}

/** How an object is encrypted, as answer headers. */
export function encryptionHeaders(encryption: Encryption): Record<string, string> {
  return {
    'x-amz-server-side-encryption': encryption.algorithm,
    ...(encryption.keyArn !== undefined && {
      'x-amz-server-side-encryption-aws-kms-key-id': encryption.keyArn,
    }),
    ...(encryption.bucketKey && { 'x-amz-server-side-encryption-bucket-key-enabled': 'true' }),
  };
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (!checksum) return {};
  return {
    [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

/** The version's id, which S3 tells only where the bucket is or was versioned. */
export function versionHeaders(bucket: Bucket, version: StoredVersion): Record<string, string> {
  return bucket.versioning ? { 'x-amz-version-id': version.versionId } : {};
}

/** The element of a checksum in XML, for example `ChecksumCRC32`. */
export function checksumElement(checksum: Checksum): string {
  return `Checksum${checksum.algorithm}`;
}

/** The id that stands for the account as an owner in listings: 64 hex digits, as AWS has them. */
export function ownerId(accountId: string): string {
  return Buffer.from(`mainstay-local-account-${accountId}`.padEnd(32, '.')).toString('hex').slice(0, 64);
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** An entity tag from a header or XML, without its quotes. */
export function unquoted(etag: string): string {
  return etag.trim().replace(/^(?:W\/)?"(.*)"$/, '$1');
}
