import { S3Error } from '../errors.ts';

/** What a request is about: the service, a bucket, or an object. */
export interface Target {
  bucket?: string;
  key?: string;
}

const longestKey = 1024;
// `<bucket>.s3.us-east-1.amazonaws.com`, `<bucket>.s3.localhost`, `<bucket>.localhost`
const virtualHost = /^(.+?)(?:\.s3(?:[.-][a-z0-9-]+)*)?\.(?:localhost|amazonaws\.com)$/i;

/**
 * Reads bucket and key from the path, or the bucket from the host name.
 *
 * @param rawPath percent-encoded, as sent.
 * @throws `InvalidURI`, `KeyTooLongError` (400).
 */
export function parseTarget(rawPath: string, host: string | undefined): Target {
  const path = rawPath.startsWith('/') ? rawPath.slice(1) : rawPath;
  const fromHost = bucketOfHost(host);
  if (fromHost !== undefined) return withKey(fromHost, path);
  const slash = path.indexOf('/');
  const bucket = slash < 0 ? path : path.slice(0, slash);
  if (bucket === '') return {};
  return withKey(decodePath(bucket), slash < 0 ? '' : path.slice(slash + 1));
}

/** Reads `x-amz-copy-source`: `/bucket/key?versionId=…`, percent-encoded. */
export function parseCopySource(header: string): { bucket: string; key: string; versionId?: string } {
  const [, path = '', versionId] = /^(.*?)(?:\?versionId=(.*))?$/s.exec(header) ?? [];
  const { bucket, key } = parseTarget(path.replace(/^\/?/, '/'), undefined);
  if (bucket === undefined || key === undefined) {
    throw new S3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      400,
      { ArgumentName: 'x-amz-copy-source', ArgumentValue: header },
    );
  }
  return { bucket, key, ...(versionId !== undefined && { versionId }) };
}

function bucketOfHost(host: string | undefined): string | undefined {
  const name = host?.replace(/:\d+$/, '') ?? '';
  return /^s3[.-]/i.test(name) ? undefined : virtualHost.exec(name)?.[1];
}

function withKey(bucket: string, rawKey: string): Target {
  if (rawKey === '') return { bucket };
  const key = decodePath(rawKey);
  const length = Buffer.byteLength(key);
  if (length > longestKey) {
    throw new S3Error('KeyTooLongError', 'Your key is too long', 400, {
      Size: length,
      MaxSizeAllowed: longestKey,
    });
  }
  return { bucket, key };
}

/** S3 reads a plus sign in a path as a space; clients that mean a plus send `%2B`. */
function decodePath(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.", 400, { URI: raw });
  }
}
