import type { RestResponse } from '../../aws/api.ts';
import { accessDenied, invalidArgument, invalidRequest } from '../errors.ts';
import type { StoredVersion } from '../model.ts';
import { readBlobs } from '../store/blob-reader.ts';
import { encryptionHeaders, quoted, versionHeaders, xmlAnswer } from './answers.ts';
import type { S3Call } from './call.ts';
import { algorithmOf } from './checksum-headers.ts';
import { checkReadConditions, readWriteCondition } from './conditions.ts';
import { readContentAttributes, readObjectAttributes, readStorageClass } from './object-headers.ts';
import { requireReadable, requireRetrievable } from './read-object.ts';
import { largestBody, receiveCopy } from './receive-body.ts';
import { parseCopySource } from './target.ts';
import { authorizeWrite } from './write-object.ts';
import { document, field, timestamp } from './xml.ts';

/** What is copied. */
export interface CopySource {
  bucket: string;
  version: StoredVersion;
  /** Headers that name the source's version, where its bucket has versions. */
  headers: Record<string, string>;
}

/** CopyObject. The bytes are read and written again: nothing is shared with the source. */
export async function copyObject(call: S3Call): Promise<RestResponse> {
  const bucket = call.bucket();
  const replaceMetadata = isReplaced(call, 'x-amz-metadata-directive');
  const replaceTags = isReplaced(call, 'x-amz-tagging-directive');
  const own = readObjectAttributes(call, bucket);
  const storageClass = readStorageClass(call);
  const condition = readWriteCondition(call);
  const source = requireCopySource(call);
  const { version } = source;
  if (!replaceTags && Object.keys(version.attributes.tags).length > 0) {
    call.authorize('s3:GetObjectTagging', `arn:aws:s3:::${source.bucket}/${version.key}`);
  }
  const tags = replaceTags ? own.tags : version.attributes.tags;
  authorizeWrite(call, { ...own, tags }, condition);
  call.authorizeKey(own.encryption, ['kms:GenerateDataKey']);
  const same = source.bucket === bucket.name && version.key === call.key && version.latest;
  const changes = ['x-amz-storage-class', 'x-amz-server-side-encryption', 'x-amz-website-redirect-location'];
  if (same && !replaceMetadata && !changes.some((name) => call.header(name) !== undefined)) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  if (version.size > largestBody) {
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${largestBody}`,
    );
  }
  const named = call.header('x-amz-checksum-algorithm');
  const createdAt = call.store.now();
  const { file, etag, checksum } = await receiveCopy(call, {
    source: await readBlobs(
      call.store.blobs,
      call.store.versions.files(version.sequence),
      0,
      version.size - 1,
    ),
    algorithm: named ? algorithmOf(named) : (version.attributes.checksum?.algorithm ?? 'CRC64NVME'),
    encryption: own.encryption,
  });
  const content = replaceMetadata ? readContentAttributes(call) : version.attributes;
  const copy = call.store.put(
    bucket.name,
    {
      key: call.key,
      createdAt,
      size: file.size,
      etag,
      storageClass,
      attributes: { ...own, headers: content.headers, metadata: content.metadata, tags, checksum },
    },
    [file],
    { condition, cause: call.cause },
  );
  const xml = document(
    'CopyObjectResult',
    field('LastModified', timestamp(copy.createdAt)),
    field('ETag', quoted(etag)),
    field(`Checksum${checksum.algorithm}`, checksum.value),
    field('ChecksumType', checksum.type),
  );
  return xmlAnswer(xml, {
    ...versionHeaders(bucket, copy),
    ...encryptionHeaders(own.encryption),
    ...source.headers,
  });
}

/**
 * The source of a copy, after everything that reading it needs has been checked.
 *
 * @throws as a read does; `PreconditionFailed` for `x-amz-copy-source-if-*`.
 */
export function requireCopySource(call: S3Call): CopySource {
  const { bucket: name, key, versionId } = parseCopySource(call.header('x-amz-copy-source') ?? '');
  const bucket = call.store.bucket(name);
  const owner = call.header('x-amz-source-expected-bucket-owner');
  if (owner !== undefined && owner !== call.environment.accountId) throw accessDenied();
  const version = requireReadable(call, 's3:GetObject', { bucket, key, versionId });
  requireRetrievable(version);
  const bucketArn = `arn:aws:s3:::${name}`;
  call.authorizeKey(version.attributes.encryption, ['kms:Decrypt'], {
    bucketArn,
    objectArn: `${bucketArn}/${key}`,
  });
  checkReadConditions(call, version, 'x-amz-copy-source-');
  return {
    bucket: name,
    version,
    headers: bucket.versioning ? { 'x-amz-copy-source-version-id': version.versionId } : {},
  };
}

function isReplaced(call: S3Call, header: string): boolean {
  const directive = call.header(header) ?? 'COPY';
  if (directive === 'COPY' || directive === 'REPLACE') return directive === 'REPLACE';
  throw invalidArgument('Unknown metadata directive.', header, directive);
}
