import type { RestResponse } from '../../aws/api.ts';
import { invalidArgument, invalidRequest, noSuchKey, noSuchVersion, S3Error } from '../errors.ts';
import type { Bucket, StoredVersion } from '../model.ts';
import { readBlobs } from '../store/blob-reader.ts';
import { checksumHeaders, encryptionHeaders, quoted, versionHeaders } from './answers.ts';
import { versionContext } from './authorization.ts';
import type { S3Call } from './call.ts';
import { checkReadConditions } from './conditions.ts';
import { chooseRange } from './ranges.ts';

const overrides = {
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-content-type': 'content-type',
  'response-expires': 'expires',
};

/** GetObject. */
export async function getObject(call: S3Call): Promise<RestResponse> {
  return readObject(call, true);
}

/** HeadObject: all of GetObject but the bytes, and so the same permission. */
export async function headObject(call: S3Call): Promise<RestResponse> {
  return readObject(call, false);
}

/**
 * The version a read is about.
 *
 * @param action without a version id; with one it is the action for versions, `s3:GetObjectVersion…`.
 * @throws `AccessDenied`, `NoSuchKey`, `NoSuchVersion`, `MethodNotAllowed` (for a delete marker by its id).
 */
export function requireReadable(
  call: S3Call,
  action = 's3:GetObject',
  target: { bucket: Bucket; key: string; versionId: string | undefined } = {
    bucket: call.bucket(),
    key: call.key,
    versionId: call.versionId,
  },
): StoredVersion {
  const { bucket, key, versionId } = target;
  const bucketArn = `arn:aws:s3:::${bucket.name}`;
  const versionAction = action.replace('s3:GetObject', 's3:GetObjectVersion');
  call.authorize(
    versionId === undefined ? action : versionAction,
    `${bucketArn}/${key}`,
    versionContext(versionId),
  );
  const version = call.store.find(bucket.name, key, versionId);
  if (version && !version.deleteMarker) return version;
  // Who may not list the bucket is not told what is missing in it.
  call.authorize('s3:ListBucket', bucketArn);
  if (!version) throw versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
  const headers = { 'x-amz-delete-marker': 'true', ...versionHeaders(bucket, version) };
  if (versionId === undefined) throw noSuchKey(key, headers);
  throw new S3Error(
    'MethodNotAllowed',
    'The specified method is not allowed against this resource.',
    405,
    { Method: call.request.method, ResourceType: 'DeleteMarker' },
    { ...headers, allow: 'DELETE', 'last-modified': new Date(version.createdAt).toUTCString() },
  );
}

/** Throws `InvalidObjectState` (403) for an object that lies in an archive and would have to be restored. */
export function requireRetrievable(version: StoredVersion): void {
  if (version.storageClass !== 'GLACIER' && version.storageClass !== 'DEEP_ARCHIVE') return;
  throw new S3Error('InvalidObjectState', "The operation is not valid for the object's storage class", 403, {
    StorageClass: version.storageClass,
  });
}

async function readObject(call: S3Call, withBytes: boolean): Promise<RestResponse> {
  const bucket = call.bucket();
  const version = requireReadable(call);
  const checksumMode = call.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  if (withBytes) requireRetrievable(version);
  if (withBytes || checksumMode) call.authorizeKey(version.attributes.encryption, ['kms:Decrypt']);
  const unchanged = checkReadConditions(call, version);
  if (unchanged) return unchanged;

  const range = chooseRange(call, version);
  const partial = range.kind !== 'whole';
  const headers: Record<string, string | number> = {
    ...objectHeaders(call, bucket, version),
    'accept-ranges': 'bytes',
    'content-length': range.end - range.start + 1,
    ...(partial && { 'content-range': `bytes ${range.start}-${range.end}/${version.size}` }),
    ...(range.kind === 'part' &&
      version.attributes.parts && {
        'x-amz-mp-parts-count': version.attributes.parts.length,
      }),
    // A checksum is of all bytes, or of all bytes of a part: not of a range.
    ...(checksumMode && range.kind === 'whole' && checksumHeaders(version.attributes.checksum)),
    ...(checksumMode && range.kind === 'part' && checksumHeaders(range.checksum)),
    ...responseOverrides(call),
  };
  const status = partial ? 206 : 200;
  if (!withBytes) return { status, headers };
  const files = call.store.versions.files(version.sequence);
  return { status, headers, body: await readBlobs(call.store.blobs, files, range.start, range.end) };
}

function objectHeaders(call: S3Call, bucket: Bucket, version: StoredVersion): Record<string, string> {
  const { headers, metadata, tags, encryption, retention, legalHold } = version.attributes;
  const tagCount = Object.keys(tags).length;
  const may = (action: string) => call.allows(action, call.objectArn);
  return {
    ...headers,
    ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    etag: quoted(version.etag),
    'last-modified': new Date(version.createdAt).toUTCString(),
    ...versionHeaders(bucket, version),
    ...encryptionHeaders(encryption),
    ...(version.storageClass !== 'STANDARD' && { 'x-amz-storage-class': version.storageClass }),
    ...(tagCount > 0 && may('s3:GetObjectTagging') && { 'x-amz-tagging-count': String(tagCount) }),
    ...(retention &&
      may('s3:GetObjectRetention') && {
        'x-amz-object-lock-mode': retention.mode,
        'x-amz-object-lock-retain-until-date': new Date(retention.until).toISOString(),
      }),
    ...(legalHold && may('s3:GetObjectLegalHold') && { 'x-amz-object-lock-legal-hold': 'ON' }),
  };
}

function responseOverrides(call: S3Call): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [parameter, header] of Object.entries(overrides)) {
    const value = call.query(parameter);
    if (value !== undefined) headers[header] = value;
  }
  if (Object.keys(headers).length > 0 && call.request.principal.kind === 'anonymous') {
    throw invalidRequest('Request specific response headers cannot be used for anonymous GET requests.');
  }
  for (const value of Object.values(headers)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what may not be in a header is the point
    if (/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(value)) {
      throw invalidArgument('Header value cannot be represented using ISO-8859-1.');
    }
  }
  return headers;
}
