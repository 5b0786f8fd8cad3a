import { invalidRequest, S3Error } from '../errors.ts';
import type { Bucket, BucketDefinition } from '../model.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Creates a bucket, or brings an existing one to the definition. What cannot be taken back on AWS
 * stays: Object Lock, and that there are versions.
 *
 * @throws `InvalidBucketName`, `InvalidRequest` (400), `InvalidBucketState` (409).
 */
export function ensureBucketRecord(store: ObjectStore, definition: BucketDefinition): Bucket {
  requireBucketName(definition.name);
  const existing = store.buckets.get(definition.name);
  const objectLock = definition.objectLock === true || existing?.objectLock === true;
  if (objectLock && definition.versioning === 'Suspended') {
    throw new S3Error(
      'InvalidBucketState',
      'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
      409,
    );
  }
  const retention = definition.defaultRetention;
  if (retention && (!objectLock || (retention.days === undefined) === (retention.years === undefined))) {
    throw invalidRequest('A default retention needs Object Lock and either days or years');
  }
  const versioning =
    definition.versioning ?? (objectLock ? 'Enabled' : existing?.versioning ? 'Suspended' : undefined);
  const bucket: Bucket = {
    ...definition,
    objectLock,
    ...(versioning && { versioning }),
    createdAt: existing?.createdAt ?? store.now(),
    encryption: definition.encryption ?? { algorithm: 'AES256' },
    publicAccessBlock: definition.publicAccessBlock ?? {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    },
    ownership: definition.ownership ?? 'BucketOwnerEnforced',
  };
  store.buckets.save(bucket);
  return bucket;
}

/** Creates a bucket with defaults unless it is there. */
export function createBucketRecord(store: ObjectStore, definition: BucketDefinition): Bucket {
  return store.buckets.get(definition.name) ?? ensureBucketRecord(store, definition);
}

/** Deletes an empty bucket; uploads under way end with it. @throws `BucketNotEmpty` (409) while there is any version. */
export function deleteBucketRecord(store: ObjectStore, name: string): void {
  store.bucket(name);
  if (!store.versions.isEmpty(name)) {
    throw new S3Error(
      'BucketNotEmpty',
      'The bucket you tried to delete is not empty. You must delete all versions in the bucket.',
      409,
      { BucketName: name },
    );
  }
  store.database.transaction(() => {
    for (const upload of [...store.uploads.list(name, Buffer.alloc(0), Buffer.of(0xff))]) {
      const files = store.uploads.remove(upload);
      store.database.afterCommit(() => store.blobs.remove(files));
    }
    store.buckets.remove(name);
  });
}

function requireBucketName(name: string): void {
  const valid =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name);
  if (!valid) {
    throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName: name });
  }
}
