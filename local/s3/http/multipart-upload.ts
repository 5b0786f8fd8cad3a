import type { RestResponse } from '../../aws/api.ts';
import { invalidRequest } from '../errors.ts';
import type { StoredVersion } from '../model.ts';
import { readBlobs } from '../store/blob-reader.ts';
import { abortUpload, putPart, requireUpload } from '../store/multipart.ts';
import type { Upload } from '../store/upload-table.ts';
import { checksumElement, emptyAnswer, encryptionHeaders, quoted, xmlAnswer } from './answers.ts';
import type { S3Call } from './call.ts';
import { type DeclaredChecksums, readDeclaredChecksums, readUploadChecksum } from './checksum-headers.ts';
import { requireCopySource } from './copy-object.ts';
import { readInteger } from './integers.ts';
import { readObjectAttributes, readStorageClass } from './object-headers.ts';
import { parseRange } from './ranges.ts';
import { type ReceivedBody, receiveBody, receiveCopy } from './receive-body.ts';
import { authorizeWrite } from './write-object.ts';
import { document, field, timestamp } from './xml.ts';

const mostParts = 10_000;

/** CreateMultipartUpload. */
export function createMultipartUpload(call: S3Call): RestResponse {
  const bucket = call.bucket();
  const attributes = readObjectAttributes(call, bucket);
  const storageClass = readStorageClass(call);
  const { checksum, chosen } = readUploadChecksum(call);
  authorizeWrite(call, attributes);
  call.authorizeKey(attributes.encryption, ['kms:GenerateDataKey']);
  const upload = call.store.uploads.create({
    bucket: bucket.name,
    key: call.key,
    createdAt: call.store.now(),
    storageClass,
    attributes,
    checksum,
    checksumChosen: chosen,
  });
  const xml = document(
    'InitiateMultipartUploadResult',
    field('Bucket', bucket.name),
    field('Key', call.key),
    field('UploadId', upload.uploadId),
  );
  return xmlAnswer(xml, {
    ...encryptionHeaders(attributes.encryption),
    ...(chosen && {
      'x-amz-checksum-algorithm': checksum.algorithm,
      'x-amz-checksum-type': checksum.type,
    }),
  });
}

/** UploadPart. */
export async function uploadPart(call: S3Call): Promise<RestResponse> {
  const { upload, number } = requirePartTarget(call);
  const declared = readDeclaredChecksums(call);
  requireSameAlgorithm(upload, declared);
  const received = await receiveBody(call, declared, {
    algorithm: upload.checksum.algorithm,
    encryption: upload.attributes.encryption,
  });
  storePart(call, upload, number, received);
  return emptyAnswer(200, {
    etag: quoted(received.etag),
    ...encryptionHeaders(upload.attributes.encryption),
    ...(upload.checksumChosen && {
      [`x-amz-checksum-${received.checksum.algorithm.toLowerCase()}`]: received.checksum.value,
    }),
  });
}

/** UploadPartCopy. */
export async function uploadPartCopy(call: S3Call): Promise<RestResponse> {
  const { upload, number } = requirePartTarget(call);
  const { version, headers } = requireCopySource(call);
  const range = copyRange(call.header('x-amz-copy-source-range'), version);
  const received = await receiveCopy(call, {
    source: await readBlobs(
      call.store.blobs,
      call.store.versions.files(version.sequence),
      range.start,
      range.end,
    ),
    algorithm: upload.checksum.algorithm,
    encryption: upload.attributes.encryption,
  });
  storePart(call, upload, number, received);
  const xml = document(
    'CopyPartResult',
    field('LastModified', timestamp(call.store.now())),
    field('ETag', quoted(received.etag)),
    ...(upload.checksumChosen ? [field(checksumElement(received.checksum), received.checksum.value)] : []),
  );
  return xmlAnswer(xml, { ...encryptionHeaders(upload.attributes.encryption), ...headers });
}

/** AbortMultipartUpload. */
export function abortMultipartUpload(call: S3Call): RestResponse {
  const bucket = call.bucket();
  call.authorize('s3:AbortMultipartUpload', call.objectArn);
  abortUpload(call.store, bucket.name, call.key, call.query('uploadId') ?? '');
  return emptyAnswer(204);
}

function requirePartTarget(call: S3Call): { upload: Upload; number: number } {
  const bucket = call.bucket();
  const number = readInteger(call.query('partNumber') ?? '', {
    name: 'partNumber',
    minimum: 1,
    maximum: mostParts,
    message: `Part number must be an integer between 1 and ${mostParts}, inclusive`,
  });
  call.authorize('s3:PutObject', call.objectArn);
  const upload = requireUpload(call.store, bucket.name, call.key, call.query('uploadId') ?? '');
  call.authorizeKey(upload.attributes.encryption, ['kms:GenerateDataKey', 'kms:Decrypt']);
  return { upload, number: number ?? 0 };
}

function storePart(
  call: S3Call,
  upload: Upload,
  number: number,
  { file, etag, checksum }: ReceivedBody,
): void {
  putPart(call.store, upload, {
    number,
    etag,
    checksum,
    createdAt: call.store.now(),
    ...file,
  });
}

function requireSameAlgorithm(upload: Upload, declared: DeclaredChecksums): void {
  const { algorithm, type } = upload.checksum;
  if (!upload.checksumChosen || declared.algorithm === algorithm) return;
  // S3 computes the checksum of the whole by itself from parts that came without one.
  if (declared.algorithm === undefined && type === 'FULL_OBJECT') return;
  const actual = declared.algorithm?.toLowerCase() ?? 'null';
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${actual}`,
  );
}

function copyRange(header: string | undefined, version: StoredVersion): { start: number; end: number } {
  if (header === undefined) return { start: 0, end: version.size - 1 };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  if (first === undefined || Number(last) < Number(first)) {
    throw invalidRequest('The x-amz-copy-source-range value must be of the form bytes=first-last');
  }
  if (Number(last) >= version.size) {
    throw invalidRequest(`Range specified is not valid for source object of size: ${version.size}`);
  }
  return parseRange(header, version);
}
