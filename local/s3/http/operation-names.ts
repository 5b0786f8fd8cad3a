import type { RestRequest } from '../../aws/api.ts';
import { S3Error } from '../errors.ts';
import { parseTarget } from './target.ts';

/** By HTTP method: what a request is with none of the sub-resources, and what with each of them. */
type Names = Readonly<Record<string, { plain?: string; subresources: Readonly<Record<string, string>> }>>;

const bucketConfigurations = {
  abac: 'BucketAbac',
  accelerate: 'BucketAccelerateConfiguration',
  acl: 'BucketAcl',
  analytics: 'BucketAnalyticsConfiguration',
  cors: 'BucketCors',
  encryption: 'BucketEncryption',
  'intelligent-tiering': 'BucketIntelligentTieringConfiguration',
  inventory: 'BucketInventoryConfiguration',
  lifecycle: 'BucketLifecycleConfiguration',
  logging: 'BucketLogging',
  metadataConfiguration: 'BucketMetadataConfiguration',
  metadataTable: 'BucketMetadataTableConfiguration',
  metrics: 'BucketMetricsConfiguration',
  notification: 'BucketNotificationConfiguration',
  'object-lock': 'ObjectLockConfiguration',
  ownershipControls: 'BucketOwnershipControls',
  policy: 'BucketPolicy',
  policyStatus: 'BucketPolicyStatus',
  publicAccessBlock: 'PublicAccessBlock',
  replication: 'BucketReplication',
  requestPayment: 'BucketRequestPayment',
  tagging: 'BucketTagging',
  versioning: 'BucketVersioning',
  website: 'BucketWebsite',
};

const bucketNames: Names = {
  GET: {
    plain: 'ListObjects',
    subresources: {
      ...prefixed('Get', bucketConfigurations),
      location: 'GetBucketLocation',
      session: 'CreateSession',
      uploads: 'ListMultipartUploads',
      versions: 'ListObjectVersions',
    },
  },
  HEAD: { plain: 'HeadBucket', subresources: {} },
  PUT: {
    plain: 'CreateBucket',
    subresources: {
      ...prefixed('Put', bucketConfigurations),
      metadataAnnotationTable: 'UpdateBucketMetadataAnnotationTableConfiguration',
      metadataInventoryTable: 'UpdateBucketMetadataInventoryTableConfiguration',
      metadataJournalTable: 'UpdateBucketMetadataJournalTableConfiguration',
    },
  },
  POST: {
    plain: 'PostObject',
    subresources: {
      delete: 'DeleteObjects',
      metadataConfiguration: 'CreateBucketMetadataConfiguration',
      metadataTable: 'CreateBucketMetadataTableConfiguration',
    },
  },
  DELETE: {
    plain: 'DeleteBucket',
    subresources: { ...prefixed('Delete', bucketConfigurations), lifecycle: 'DeleteBucketLifecycle' },
  },
};

const objectNames: Names = {
  GET: {
    plain: 'GetObject',
    subresources: {
      acl: 'GetObjectAcl',
      annotation: 'GetObjectAnnotation',
      attributes: 'GetObjectAttributes',
      'legal-hold': 'GetObjectLegalHold',
      retention: 'GetObjectRetention',
      tagging: 'GetObjectTagging',
      torrent: 'GetObjectTorrent',
      uploadId: 'ListParts',
    },
  },
  HEAD: { plain: 'HeadObject', subresources: {} },
  PUT: {
    plain: 'PutObject',
    subresources: {
      acl: 'PutObjectAcl',
      annotation: 'PutObjectAnnotation',
      encryption: 'UpdateObjectEncryption',
      'legal-hold': 'PutObjectLegalHold',
      renameObject: 'RenameObject',
      retention: 'PutObjectRetention',
      tagging: 'PutObjectTagging',
      uploadId: 'UploadPart',
    },
  },
  POST: {
    subresources: {
      restore: 'RestoreObject',
      select: 'SelectObjectContent',
      uploads: 'CreateMultipartUpload',
      uploadId: 'CompleteMultipartUpload',
    },
  },
  DELETE: {
    plain: 'DeleteObject',
    subresources: {
      annotation: 'DeleteObjectAnnotation',
      tagging: 'DeleteObjectTagging',
      uploadId: 'AbortMultipartUpload',
    },
  },
};

/**
 * The operation behind a request, by the name the API reference has for it.
 *
 * @throws `MethodNotAllowed` (405) where there is none.
 */
export function operationName({
  method,
  rawPath,
  query,
  headers,
}: Pick<RestRequest, 'method' | 'rawPath' | 'query' | 'headers'>): string {
  const { bucket, key } = parseTarget(rawPath, headers.host);
  if (method === 'OPTIONS') return 'OptionsObject';
  if (bucket === undefined && method === 'GET') return 'ListBuckets';
  const names = (key === undefined ? bucketNames : objectNames)[method];
  const subresource = Object.keys(names?.subresources ?? {}).find((name) => query.has(name));
  const name = subresource === undefined ? names?.plain : names?.subresources[subresource];
  if (name === undefined || bucket === undefined) {
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, {
      Method: method,
      ResourceType: key === undefined ? 'BUCKET' : 'OBJECT',
    });
  }
  if (name === 'ListObjects' && query.get('list-type') === '2') return 'ListObjectsV2';
  if (headers['x-amz-copy-source'] === undefined) return name;
  return name === 'PutObject' ? 'CopyObject' : name === 'UploadPart' ? 'UploadPartCopy' : name;
}

function prefixed(verb: string, names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(names).map(([subresource, name]) => [subresource, `${verb}${name}`]),
  );
}
