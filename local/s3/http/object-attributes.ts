import type { RestResponse } from '../../aws/api.ts';
import { invalidArgument } from '../errors.ts';
import type { PartSummary, StoredVersion } from '../model.ts';
import { checksumElement, versionHeaders, xmlAnswer } from './answers.ts';
import { versionContext } from './authorization.ts';
import type { S3Call } from './call.ts';
import { readInteger } from './integers.ts';
import { requireReadable } from './read-object.ts';
import { document, element, field } from './xml.ts';

const names = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'];
const mostParts = 1000;

/** GetObjectAttributes. */
export function getObjectAttributes(call: S3Call): RestResponse {
  const version = requireReadable(call);
  const { versionId } = call;
  const action = versionId === undefined ? 's3:GetObjectAttributes' : 's3:GetObjectVersionAttributes';
  call.authorize(action, call.objectArn, versionContext(versionId));
  const wanted = (call.header('x-amz-object-attributes') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (wanted.length === 0 || !wanted.every((name) => names.includes(name))) {
    throw invalidArgument('Invalid attribute name specified.', 'x-amz-object-attributes', wanted.join(','));
  }
  const { checksum } = version.attributes;
  if (checksum && wanted.includes('Checksum'))
    call.authorizeKey(version.attributes.encryption, ['kms:Decrypt']);
  const fields: Record<string, () => string> = {
    ETag: () => field('ETag', version.etag),
    Checksum: () =>
      checksum
        ? element(
            'Checksum',
            field(checksumElement(checksum), checksum.value),
            field('ChecksumType', checksum.type),
          )
        : '',
    ObjectParts: () => partsElement(call, version),
    StorageClass: () => field('StorageClass', version.storageClass),
    ObjectSize: () => field('ObjectSize', version.size),
  };
  const xml = document(
    'GetObjectAttributesResponse',
    ...names.filter((name) => wanted.includes(name)).map((name) => fields[name]?.() ?? ''),
  );
  return xmlAnswer(xml, {
    'last-modified': new Date(version.createdAt).toUTCString(),
    ...versionHeaders(call.bucket(), version),
  });
}

function partsElement(call: S3Call, version: StoredVersion): string {
  const parts = version.attributes.parts;
  if (!parts) return '';
  const count = field('PartsCount', parts.length);
  // S3 only keeps the parts' own figures where their checksums make up the object's.
  if (version.attributes.checksum?.type !== 'COMPOSITE') return element('ObjectParts', count);
  const number = (header: string, fallback: number) =>
    readInteger(call.header(header), {
      name: header,
      minimum: 0,
      maximum: 2 ** 31 - 1,
      message: `Argument ${header} must be an integer between 0 and 2147483647`,
    }) ?? fallback;
  const marker = number('x-amz-part-number-marker', 0);
  const limit = Math.min(number('x-amz-max-parts', mostParts), mostParts);
  const rest = parts.filter((part) => part.number > marker);
  const page = rest.slice(0, limit);
  return element(
    'ObjectParts',
    count,
    field('PartNumberMarker', marker),
    field('NextPartNumberMarker', page.at(-1)?.number ?? 0),
    field('MaxParts', limit),
    field('IsTruncated', rest.length > page.length),
    ...page.map(partElement),
  );
}

function partElement({ number, size, checksum }: PartSummary): string {
  return element(
    'Part',
    field('PartNumber', number),
    field('Size', size),
    ...(checksum ? [field(checksumElement(checksum), checksum.value)] : []),
  );
}
