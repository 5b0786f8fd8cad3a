import * as z from 'zod';
import type { RestResponse } from '../../aws/api.ts';
import { invalidRequest } from '../errors.ts';
import type { StoredVersion } from '../model.ts';
import { completeUpload, entityTagOfParts, type NamedPart, requireUpload } from '../store/multipart.ts';
import { requireCondition } from '../store/object-store.ts';
import {
  checksumElement,
  encryptionHeaders,
  quoted,
  unquoted,
  versionHeaders,
  xmlAnswer,
} from './answers.ts';
import type { S3Call } from './call.ts';
import { readWriteCondition } from './conditions.ts';
import { readInteger } from './integers.ts';
import { authorizeWrite } from './write-object.ts';
import { document, field } from './xml.ts';
import { readXml, xmlText } from './xml-reader.ts';

const mostParts = 10_000;
const largestRequest = 8 * 1024 * 1024;

const completeSchema = z.object({
  Part: z
    .array(
      z
        .object({
          PartNumber: xmlText
            .pipe(
              z
                .string()
                .regex(/^\d{1,5}$/)
                .transform(Number),
            )
            .pipe(z.int().min(1).max(mostParts)),
          ETag: xmlText,
        })
        .catchall(z.unknown()),
    )
    .min(1)
    .max(mostParts),
});

/** CompleteMultipartUpload. Repeating it after success gives the same answer, as on AWS. */
export async function completeMultipartUpload(call: S3Call): Promise<RestResponse> {
  const bucket = call.bucket();
  const uploadId = call.query('uploadId') ?? '';
  const condition = readWriteCondition(call);
  authorizeWrite(call, { tags: {}, legalHold: false }, condition);
  const { Part } = readXml(await call.body(largestRequest), 'CompleteMultipartUpload', completeSchema);
  const parts = Part.map((part): NamedPart => {
    const checksum = checksumOf(part);
    return {
      number: part.PartNumber,
      etag: unquoted(part.ETag),
      ...(checksum !== undefined && { checksum }),
    };
  });
  const earlier = call.store.versions.byUpload(bucket.name, call.key, uploadId);
  if (earlier && earlier.etag === repeatedEtag(parts)) return completedAnswer(call, earlier);
  const upload = requireUpload(call.store, bucket.name, call.key, uploadId);
  call.authorizeKey(upload.attributes.encryption, ['kms:Decrypt']);
  requireCondition(call.store.find(bucket.name, call.key), call.key, condition);
  const size = readInteger(call.header('x-amz-mp-object-size'), {
    name: 'x-amz-mp-object-size',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    message: 'The provided x-amz-mp-object-size is not a size',
  });
  const checksum = call.header(`x-amz-checksum-${upload.checksum.algorithm.toLowerCase()}`);
  const type = call.header('x-amz-checksum-type');
  if (type !== undefined && type !== upload.checksum.type) {
    throw invalidRequest(
      `The upload was created using the ${upload.checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const version = completeUpload(
    call.store,
    upload,
    parts,
    { ...(checksum !== undefined && { checksum }), ...(size !== undefined && { size }) },
    { condition, cause: call.cause },
  );
  return completedAnswer(call, version);
}

function completedAnswer(call: S3Call, version: StoredVersion): RestResponse {
  const { encryption, checksum } = version.attributes;
  const xml = document(
    'CompleteMultipartUploadResult',
    field('Location', `${call.request.origin}/${call.bucketName}/${encodeURIComponent(call.key)}`),
    field('Bucket', call.bucketName),
    field('Key', call.key),
    field('ETag', quoted(version.etag)),
    ...(checksum
      ? [field(checksumElement(checksum), checksum.value), field('ChecksumType', checksum.type)]
      : []),
  );
  return xmlAnswer(xml, { ...versionHeaders(call.bucket(), version), ...encryptionHeaders(encryption) });
}

function checksumOf(part: Readonly<Record<string, unknown>>): string | undefined {
  const name = Object.keys(part).find((key) => /^Checksum[A-Z0-9]+$/.test(key));
  const parsed = xmlText.safeParse(name === undefined ? undefined : part[name]);
  return parsed.success ? parsed.data : undefined;
}

function repeatedEtag(parts: readonly NamedPart[]): string {
  return entityTagOfParts(parts.map((part) => part.etag));
}
