import type { RestResponse } from '../../aws/api.ts';
import { listPage } from '../store/listing.ts';
import { requireUpload } from '../store/multipart.ts';
import type { Upload } from '../store/upload-table.ts';
import { checksumElement, ownerId, quoted, xmlAnswer } from './answers.ts';
import type { S3Call } from './call.ts';
import { readInteger } from './integers.ts';
import { commonPrefixElements, readListingParameters } from './listing-parameters.ts';
import { document, element, field, timestamp } from './xml.ts';

const mostParts = 1000;

/** ListMultipartUploads. */
export function listMultipartUploads(call: S3Call): RestResponse {
  const bucket = call.bucket();
  const parameters = readListingParameters(call, 'max-uploads');
  const keyMarker = call.query('key-marker');
  // Without a key marker S3 ignores this one.
  const idMarker = keyMarker === undefined ? undefined : call.query('upload-id-marker');
  call.authorize('s3:ListBucketMultipartUploads', call.bucketArn, parameters.context);
  const { uploads } = call.store;
  const page = listPage<Upload>({
    ...parameters,
    after: keyMarker,
    resume:
      keyMarker !== undefined && idMarker !== undefined
        ? { key: keyMarker, scan: (to) => uploads.list(bucket.name, Buffer.from(keyMarker), to, idMarker) }
        : undefined,
    scan: (from, to) => uploads.list(bucket.name, from, to),
  });
  const { delimiter, encode } = parameters;
  const last = page.truncated ? page.last : undefined;
  const next = last && ('entry' in last ? last.entry.key : last.commonPrefix);
  const xml = document(
    'ListMultipartUploadsResult',
    field('Bucket', bucket.name),
    field('KeyMarker', encode(keyMarker ?? '')),
    field('UploadIdMarker', idMarker ?? ''),
    field('NextKeyMarker', next === undefined ? undefined : encode(next)),
    field('NextUploadIdMarker', last && 'entry' in last ? last.entry.uploadId : undefined),
    field('Prefix', encode(parameters.prefix)),
    field('Delimiter', delimiter === undefined ? undefined : encode(delimiter)),
    field('EncodingType', parameters.encodingType),
    field('MaxUploads', parameters.limit),
    field('IsTruncated', page.truncated),
    ...page.entries.map((upload) =>
      element(
        'Upload',
        field('Key', encode(upload.key)),
        field('UploadId', upload.uploadId),
        ...identity(call),
        field('StorageClass', upload.storageClass),
        field('Initiated', timestamp(upload.createdAt)),
        ...checksumFields(upload),
      ),
    ),
    ...commonPrefixElements(page.commonPrefixes, parameters),
  );
  return xmlAnswer(xml);
}

/** ListParts. */
export function listParts(call: S3Call): RestResponse {
  const bucket = call.bucket();
  const number = (name: string, fallback: number) =>
    readInteger(call.query(name), {
      name,
      minimum: 0,
      maximum: 2 ** 31 - 1,
      message: `Argument ${name} must be an integer between 0 and 2147483647`,
    }) ?? fallback;
  const marker = number('part-number-marker', 0);
  const limit = Math.min(number('max-parts', mostParts), mostParts);
  call.authorize('s3:ListMultipartUploadParts', call.objectArn);
  const upload = requireUpload(call.store, bucket.name, call.key, call.query('uploadId') ?? '');
  const found = call.store.uploads.parts(upload.uploadId, marker, limit + 1);
  const parts = found.slice(0, limit);
  const xml = document(
    'ListPartsResult',
    field('Bucket', bucket.name),
    field('Key', call.key),
    field('UploadId', upload.uploadId),
    ...identity(call),
    field('StorageClass', upload.storageClass),
    field('PartNumberMarker', marker),
    field('NextPartNumberMarker', parts.at(-1)?.number ?? 0),
    field('MaxParts', limit),
    field('IsTruncated', limit > 0 && found.length > limit),
    ...checksumFields(upload),
    ...parts.map((part) =>
      element(
        'Part',
        field('PartNumber', part.number),
        field('LastModified', timestamp(part.createdAt)),
        field('ETag', quoted(part.etag)),
        field('Size', part.size),
        ...(upload.checksumChosen ? [field(checksumElement(part.checksum), part.checksum.value)] : []),
      ),
    ),
  );
  return xmlAnswer(xml);
}

function identity(call: S3Call): string[] {
  const id = field('ID', ownerId(call.environment.accountId));
  return [element('Initiator', id), element('Owner', id)];
}

function checksumFields({ checksum, checksumChosen }: Upload): string[] {
  if (!checksumChosen) return [];
  return [field('ChecksumAlgorithm', checksum.algorithm), field('ChecksumType', checksum.type)];
}
