import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, noSuchBucket, noSuchKey, preconditionFailed } from '../errors.ts';
import type { Bucket, DataFile, ObjectDraft, StoredVersion } from '../model.ts';
import { BlobStore } from './blobs.ts';
import { BucketTable } from './bucket-table.ts';
import { Database } from './database.ts';
import { defaultRetention, requireUnlocked } from './object-lock.ts';
import { UploadTable } from './upload-table.ts';
import { isVersionId, nullVersionId } from './version-id.ts';
import { VersionTable } from './version-table.ts';

/** Who changed an object and by which operation. */
export interface Cause {
  /** As in EventBridge's `reason`: `PutObject`, `Lifecycle Expiration`. */
  reason: string;
  requestId: string;
  /** Account id or service. */
  requester: string;
  sourceIp?: string;
}

/** What happened to an object; told after it has been stored. */
export interface ObjectChange {
  bucket: Bucket;
  version: StoredVersion;
  kind: 'created' | 'deleted' | 'marked';
  cause: Cause;
}

/** Conditions on the current object for a write to happen; entity tags without quotes, or `*`. */
export interface WriteCondition {
  ifMatch?: string;
  ifNoneMatch?: '*';
}

export interface DeleteOutcome {
  /** The version that was removed, or the delete marker that was put; undefined without versioning. */
  versionId?: string;
  /** Whether a delete marker was put or removed. */
  deleteMarker: boolean;
}

/**
 * Buckets, versions and uploads: S3's rules for them, without HTTP and without permissions. Every
 * method that changes something does so in one synchronous transaction: concurrent requests see it
 * whole or not at all, and so does the next process after a kill.
 */
export class ObjectStore {
  readonly database: Database;
  readonly buckets: BucketTable;
  readonly versions: VersionTable;
  readonly uploads: UploadTable;
  readonly blobs: BlobStore;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly #onChange: (change: ObjectChange) => void;

  /** Opens the store in a directory of its own, which is made when it is not there. */
  constructor(directory: string, now: () => number, onChange: (change: ObjectChange) => void) {
    mkdirSync(directory, { recursive: true });
    this.now = now;
    this.#onChange = onChange;
    this.database = new Database(join(directory, 'index.sqlite'));
    this.buckets = new BucketTable(this.database);
    this.versions = new VersionTable(this.database);
    this.uploads = new UploadTable(this.database);
    this.blobs = new BlobStore(directory);
    this.blobs.open((file) => this.versions.hasFile(file) || this.uploads.hasFile(file));
  }

  close(): void {
    this.database.close();
  }

  /** The bucket. @throws `NoSuchBucket` (404). */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw noSuchBucket(name);
    return bucket;
  }

  /**
   * Makes files that were staged the newest version of a key. On any error they are discarded.
   *
   * @param files staged, or, with `published`, in the store already.
   */
  put(
    bucketName: string,
    draft: ObjectDraft,
    files: readonly DataFile[],
    options: { condition?: WriteCondition; cause: Cause; published?: boolean },
  ): StoredVersion {
    try {
      return this.database.transaction(() => {
        const bucket = this.bucket(bucketName);
        requireCondition(this.versions.latest(bucketName, draft.key), draft.key, options.condition ?? {});
        const versioned = bucket.versioning === 'Enabled';
        if (!versioned) this.#removeNullVersion(bucketName, draft.key);
        const retention = draft.attributes.retention ?? defaultRetention(bucket, this.now());
        const attributes = { ...draft.attributes, ...(retention && { retention }) };
        const version = this.versions.insert(
          bucketName,
          { ...draft, attributes },
          { versioned, deleteMarker: false },
          files,
        );
        if (!options.published) for (const { file } of files) this.blobs.publish(file);
        this.#tell({ bucket, version, kind: 'created', cause: options.cause });
        return version;
      });
    } catch (error) {
      if (!options.published) for (const { file } of files) this.blobs.discard(file);
      throw error;
    }
  }

  /**
   * Deletes an object as S3 does: with a version id for good, else by a delete marker where the bucket
   * is versioned. What is not there counts as deleted.
   *
   * @throws `AccessDenied` for a version under Object Lock.
   */
  delete(
    bucketName: string,
    key: string,
    options: { versionId?: string; bypassGovernance?: boolean; ifMatch?: string; cause: Cause },
  ): DeleteOutcome {
    const { versionId, cause } = options;
    if (versionId !== undefined && !isVersionId(versionId)) throw invalidVersionId(versionId);
    return this.database.transaction((): DeleteOutcome => {
      const bucket = this.bucket(bucketName);
      if (options.ifMatch !== undefined) {
        requireCondition(this.find(bucketName, key, versionId), key, { ifMatch: options.ifMatch });
      }
      if (versionId !== undefined || !bucket.versioning) {
        const version = this.versions.byId(bucketName, key, versionId ?? nullVersionId);
        if (version) {
          requireUnlocked(version.attributes, this.now(), options.bypassGovernance ?? false);
          this.#remove(bucketName, version);
          this.#tell({ bucket, version, kind: 'deleted', cause });
        }
        return {
          deleteMarker: version?.deleteMarker ?? false,
          ...(versionId !== undefined && { versionId }),
        };
      }
      const versioned = bucket.versioning === 'Enabled';
      if (!versioned) this.#removeNullVersion(bucketName, key);
      const marker = this.#deleteMarker(key);
      const version = this.versions.insert(bucketName, marker, { versioned, deleteMarker: true }, []);
      this.#tell({ bucket, version, kind: 'marked', cause });
      return { versionId: version.versionId, deleteMarker: true };
    });
  }

  /** A version by its id, or the latest; undefined when there is none. Either may be a delete marker. */
  find(bucketName: string, key: string, versionId?: string): StoredVersion | undefined {
    if (versionId === undefined) return this.versions.latest(bucketName, key);
    if (!isVersionId(versionId)) throw invalidVersionId(versionId);
    return this.versions.byId(bucketName, key, versionId);
  }

  #removeNullVersion(bucketName: string, key: string): void {
    const version = this.versions.byId(bucketName, key, nullVersionId);
    if (version) this.#remove(bucketName, version);
  }

  #remove(bucketName: string, version: StoredVersion): void {
    const files = this.versions.remove(bucketName, version);
    this.database.afterCommit(() => this.blobs.remove(files.map(({ file }) => file)));
  }

  #tell(change: ObjectChange): void {
    this.database.afterCommit(() => this.#onChange(change));
  }

  #deleteMarker(key: string): ObjectDraft {
    return {
      key,
      createdAt: this.now(),
      size: 0,
      etag: '',
      storageClass: 'STANDARD',
      attributes: {
        headers: {},
        metadata: {},
        tags: {},
        encryption: { algorithm: 'AES256' },
        legalHold: false,
      },
    };
  }
}

/**
 * Throws unless a write's conditions hold for the current version of its key.
 *
 * @throws `PreconditionFailed` (412), or `NoSuchKey` (404) for an entity tag of nothing.
 */
export function requireCondition(
  current: StoredVersion | undefined,
  key: string,
  { ifMatch, ifNoneMatch }: WriteCondition,
): void {
  const exists = current !== undefined && !current.deleteMarker;
  if (ifNoneMatch !== undefined && exists) throw preconditionFailed('If-None-Match');
  if (ifMatch === undefined) return;
  if (!exists) throw noSuchKey(key);
  if (ifMatch !== '*' && ifMatch !== current.etag) throw preconditionFailed('If-Match');
}

function invalidVersionId(versionId: string) {
  return invalidArgument('Invalid version id specified', 'versionId', versionId);
}
