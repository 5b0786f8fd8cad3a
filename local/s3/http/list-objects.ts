import type { RestResponse } from '../../aws/api.ts';
import type { VersionEntry } from '../model.ts';
import { type Listing, listPage } from '../store/listing.ts';
import { ownerId, quoted, xmlAnswer } from './answers.ts';
import type { S3Call } from './call.ts';
import {
  commonPrefixElements,
  decodeToken,
  encodeToken,
  type ListingParameters,
  readListingParameters,
} from './listing-parameters.ts';
import { document, element, field, timestamp } from './xml.ts';

/** ListObjects, the first version. */
export function listObjects(call: S3Call): RestResponse {
  const parameters = readListingParameters(call);
  const marker = call.query('marker');
  const page = listCurrent(call, parameters, marker);
  const { encode } = parameters;
  // S3 only says where to go on when there is a delimiter; without one it is the last key.
  const next = page.truncated && parameters.delimiter !== undefined ? nameOf(page) : undefined;
  const xml = document(
    'ListBucketResult',
    field('Name', call.bucketName),
    field('Prefix', encode(parameters.prefix)),
    field('Marker', encode(marker ?? '')),
    field('NextMarker', next === undefined ? undefined : encode(next)),
    ...sharedFields(parameters, page),
    ...page.entries.map((entry) => objectElement(call, parameters, entry, true)),
    ...commonPrefixElements(page.commonPrefixes, parameters),
  );
  return xmlAnswer(xml);
}

/** ListObjectsV2. */
export function listObjectsV2(call: S3Call): RestResponse {
  const parameters = readListingParameters(call);
  const startAfter = call.query('start-after');
  const token = call.request.query.get('continuation-token') ?? undefined;
  const after = token === undefined ? startAfter : decodeToken(token);
  const page = listCurrent(call, parameters, after);
  const last = page.truncated ? nameOf(page) : undefined;
  const { encode } = parameters;
  const withOwner = call.query('fetch-owner') === 'true';
  const xml = document(
    'ListBucketResult',
    field('Name', call.bucketName),
    field('Prefix', encode(parameters.prefix)),
    field('ContinuationToken', token),
    field('NextContinuationToken', last === undefined ? undefined : encodeToken(last)),
    field('StartAfter', startAfter === undefined ? undefined : encode(startAfter)),
    field('KeyCount', page.entries.length + page.commonPrefixes.length),
    ...sharedFields(parameters, page),
    ...page.entries.map((entry) => objectElement(call, parameters, entry, withOwner)),
    ...commonPrefixElements(page.commonPrefixes, parameters),
  );
  return xmlAnswer(xml);
}

function listCurrent(
  call: S3Call,
  parameters: ListingParameters,
  after: string | undefined,
): Listing<VersionEntry> {
  const bucket = call.bucket();
  call.authorize('s3:ListBucket', call.bucketArn, parameters.context);
  return listPage({
    ...parameters,
    after,
    scan: (from, to) => call.store.versions.visible(bucket.name, from, to),
  });
}

function sharedFields(parameters: ListingParameters, page: Listing<VersionEntry>): string[] {
  const { delimiter, encode } = parameters;
  return [
    field('MaxKeys', parameters.limit),
    field('Delimiter', delimiter === undefined ? undefined : encode(delimiter)),
    field('EncodingType', parameters.encodingType),
    field('IsTruncated', page.truncated),
  ];
}

function objectElement(
  call: S3Call,
  { encode }: ListingParameters,
  entry: VersionEntry,
  withOwner: boolean,
): string {
  return element(
    'Contents',
    field('Key', encode(entry.key)),
    field('LastModified', timestamp(entry.createdAt)),
    field('ETag', quoted(entry.etag)),
    field('ChecksumAlgorithm', entry.checksumAlgorithm),
    field('ChecksumType', entry.checksumType),
    field('Size', entry.size),
    ...(withOwner ? [element('Owner', field('ID', ownerId(call.environment.accountId)))] : []),
    field('StorageClass', entry.storageClass),
  );
}

function nameOf({ last }: Listing<VersionEntry>): string | undefined {
  return last && ('entry' in last ? last.entry.key : last.commonPrefix);
}
