import type { RestResponse } from '../../aws/api.ts';
import { invalidArgument } from '../errors.ts';
import type { VersionEntry } from '../model.ts';
import { type ListingRequest, listPage } from '../store/listing.ts';
import { isVersionId, sequenceOf } from '../store/version-id.ts';
import { ownerId, quoted, xmlAnswer } from './answers.ts';
import type { S3Call } from './call.ts';
import { commonPrefixElements, type ListingParameters, readListingParameters } from './listing-parameters.ts';
import { document, element, field, timestamp } from './xml.ts';

/** ListObjectVersions: versions and delete markers, by key and from new to old. */
export function listObjectVersions(call: S3Call): RestResponse {
  const bucket = call.bucket();
  const parameters = readListingParameters(call);
  const keyMarker = call.query('key-marker');
  const versionMarker = call.request.query.get('version-id-marker') ?? undefined;
  call.authorize('s3:ListBucketVersions', call.bucketArn, parameters.context);
  const page = listPage<VersionEntry>({
    ...parameters,
    after: keyMarker,
    resume: resumeAt(call, keyMarker, versionMarker),
    scan: (from, to) => call.store.versions.versions(bucket.name, from, to),
  });
  const { delimiter, encode } = parameters;
  const last = page.truncated ? page.last : undefined;
  const xml = document(
    'ListVersionsResult',
    field('Name', call.bucketName),
    field('Prefix', encode(parameters.prefix)),
    field('KeyMarker', encode(keyMarker ?? '')),
    field('VersionIdMarker', versionMarker ?? ''),
    ...(last && 'entry' in last
      ? [field('NextKeyMarker', encode(last.entry.key)), field('NextVersionIdMarker', last.entry.versionId)]
      : []),
    ...(last && 'commonPrefix' in last ? [field('NextKeyMarker', encode(last.commonPrefix))] : []),
    field('MaxKeys', parameters.limit),
    field('Delimiter', delimiter === undefined ? undefined : encode(delimiter)),
    field('EncodingType', parameters.encodingType),
    field('IsTruncated', page.truncated),
    ...page.entries.map((entry) => versionElement(call, parameters, entry)),
    ...commonPrefixElements(page.commonPrefixes, parameters),
  );
  return xmlAnswer(xml);
}

/** Where a page goes on that begins inside the versions of one key. */
function resumeAt(
  call: S3Call,
  key: string | undefined,
  versionId: string | undefined,
): ListingRequest<VersionEntry>['resume'] {
  if (versionId === undefined || (versionId === '' && key === undefined)) return undefined;
  if (key === undefined) {
    throw invalidArgument(
      'A version-id marker cannot be specified without a key marker.',
      'version-id-marker',
      versionId,
    );
  }
  if (versionId === '' || !isVersionId(versionId)) {
    throw invalidArgument('Invalid version id specified', 'version-id-marker', versionId);
  }
  // The version may have been deleted since; its id still says how old it was. Only `null` does not:
  // then the key's versions are listed again rather than left out.
  const sequence =
    sequenceOf(versionId) ??
    call.store.versions.byId(call.bucketName, key, versionId)?.sequence ??
    Number.MAX_SAFE_INTEGER;
  return {
    key,
    scan: (to) => call.store.versions.versions(call.bucketName, Buffer.from(key), to, sequence),
  };
}

function versionElement(call: S3Call, { encode }: ListingParameters, entry: VersionEntry): string {
  return element(
    entry.deleteMarker ? 'DeleteMarker' : 'Version',
    field('Key', encode(entry.key)),
    field('VersionId', entry.versionId),
    field('IsLatest', entry.latest),
    field('LastModified', timestamp(entry.createdAt)),
    ...(entry.deleteMarker
      ? []
      : [
          field('ETag', quoted(entry.etag)),
          field('ChecksumAlgorithm', entry.checksumAlgorithm),
          field('ChecksumType', entry.checksumType),
          field('Size', entry.size),
          field('StorageClass', entry.storageClass),
        ]),
    element('Owner', field('ID', ownerId(call.environment.accountId))),
  );
}
