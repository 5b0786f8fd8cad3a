import type { RestApi } from '../aws/api.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { Service } from '../service.ts';
import { noSuchKey } from './errors.ts';
import { type ObjectEvent, objectEvent } from './events.ts';
import type { KeyUse, S3Environment } from './http/call.ts';
import { operationName } from './http/operation-names.ts';
import { handleRequest } from './http/router.ts';
import { inProcessOperations } from './in-process.ts';
import type { BucketDefinition } from './model.ts';
import { deleteBucketRecord, ensureBucketRecord } from './store/bucket-rules.ts';
import { applyLifecycle, type LifecycleResult } from './store/lifecycle.ts';
import { type ObjectChange, ObjectStore } from './store/object-store.ts';

export interface S3Options {
  /** Buckets and objects are kept here; made when it is not there. */
  directory: string;
  /** Learns the policies of buckets, and is asked for calls made in-process. */
  authorizer: Pick<Authorizer, 'setResourcePolicy' | 'removeResourcePolicy' | 'check'>;
  /** Knows the keys of objects under SSE-KMS. */
  kms: KeyUse;
  /** Default `us-east-1`. */
  region?: string;
  /** Default `000000000000`. */
  accountId?: string;
  /** Takes the events of buckets that send them to EventBridge; called after the change is stored. */
  onEvent?: (event: ObjectEvent) => void;
  /** The time in milliseconds since the epoch; default the system's. */
  now?: () => number;
}

/** A file of the store that holds bytes of an object. */
export interface StoredFile {
  path: string;
  size: number;
}

/**
 * S3 in a directory: versions, conditional writes, Object Lock, multipart uploads, lifecycle. Objects'
 * bytes are plain files, everything else is in one SQLite file beside them.
 */
export class S3Service implements Service {
  readonly name = 's3';
  readonly api: RestApi;
  readonly #options: S3Options;
  readonly #now: () => number;
  #store: ObjectStore | undefined;

  constructor(options: S3Options) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const environment = () => this.#environment();
    this.api = {
      protocol: 'rest',
      signingName: 's3',
      errors: 'xml',
      anonymous: true,
      operationOf: operationName,
      handle: (request) => handleRequest(request, environment()),
      operations: inProcessOperations(environment, (principal, authorizations) => {
        for (const authorization of authorizations) options.authorizer.check(principal, authorization);
      }),
    };
  }

  /** Opens the store, and removes what an earlier process left unfinished. */
  async start(): Promise<void> {
    if (this.#store) return;
    this.#store = new ObjectStore(this.#options.directory, this.#now, (change) => this.#publish(change));
    for (const bucket of this.#store.buckets.list()) this.#announcePolicy(bucket);
  }

  async stop(): Promise<void> {
    this.#store?.close();
    this.#store = undefined;
  }

  /**
   * Creates a bucket, or brings an existing one to the definition: what it does not mention is as in a
   * new bucket. Versions and Object Lock stay once they are there.
   *
   * @throws {AwsError} as S3 would for names and settings it does not take.
   */
  ensureBucket(definition: BucketDefinition): { name: string; arn: string } {
    const bucket = ensureBucketRecord(this.#opened, definition);
    this.#announcePolicy(bucket);
    return { name: bucket.name, arn: arnOf(bucket.name) };
  }

  /** Replaces or removes the policy of a bucket. @throws `NoSuchBucket`. */
  setBucketPolicy(name: string, policy: Record<string, unknown> | undefined): void {
    const { policy: _, ...bucket } = this.#opened.bucket(name);
    const changed = { ...bucket, ...(policy && { policy }) };
    this.#opened.buckets.save(changed);
    this.#announcePolicy(changed);
  }

  /** Deletes an empty bucket. @throws `NoSuchBucket`, `BucketNotEmpty`. */
  deleteBucket(name: string): void {
    deleteBucketRecord(this.#opened, name);
    this.#options.authorizer.removeResourcePolicy(arnOf(name));
  }

  /** Names of all buckets. */
  bucketNames(): string[] {
    return this.#opened.buckets.list().map((bucket) => bucket.name);
  }

  /**
   * The files that hold an object's bytes, in order: several for one uploaded in parts. They are the
   * bytes as stored, unframed, so that a test or a demonstration can damage one. Delete nothing here.
   *
   * @param versionId default the latest.
   * @throws `NoSuchKey`.
   */
  dataFiles(bucket: string, key: string, versionId?: string): StoredFile[] {
    const version = this.#opened.find(bucket, key, versionId);
    if (!version || version.deleteMarker) throw noSuchKey(key);
    return this.#opened.versions
      .files(version.sequence)
      .map(({ file, size }) => ({ path: this.#opened.blobs.path(file), size }));
  }

  /** The first of {@link dataFiles}; every object has at least one. */
  dataFile(bucket: string, key: string, versionId?: string): string {
    const [first] = this.dataFiles(bucket, key, versionId);
    if (!first) throw noSuchKey(key);
    return first.path;
  }

  /** Applies the lifecycle rules of all buckets as of `now`, by default the present. */
  async applyLifecycle(now = this.#now()): Promise<LifecycleResult> {
    return applyLifecycle(this.#opened, now);
  }

  get #opened(): ObjectStore {
    if (!this.#store) throw new Error('S3 has not been started');
    return this.#store;
  }

  #environment(): S3Environment {
    return {
      store: this.#opened,
      region: this.#options.region ?? 'us-east-1',
      accountId: this.#options.accountId ?? '000000000000',
      kms: this.#options.kms,
    };
  }

  #announcePolicy({ name, policy }: BucketDefinition): void {
    const { authorizer } = this.#options;
    if (policy) authorizer.setResourcePolicy(arnOf(name), policy);
    else authorizer.removeResourcePolicy(arnOf(name));
  }

  #publish(change: ObjectChange): void {
    if (!change.bucket.eventBridge) return;
    const { region, accountId } = this.#environment();
    const event = objectEvent(change, { region, accountId, now: this.#now() });
    this.#options.onEvent?.(event);
  }
}

function arnOf(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}
