import type { RestRequest } from '../../aws/api.ts';
import { type Authorization, AwsError } from '../../aws/operation.ts';
import { accessDenied, S3Error } from '../errors.ts';
import type { Bucket, Encryption } from '../model.ts';
import type { Cause, ObjectStore } from '../store/object-store.ts';
import { type AuthorizationContext, withRequestContext } from './authorization.ts';

/** What requests need to know of the service. */
export interface S3Environment {
  store: ObjectStore;
  region: string;
  accountId: string;
  kms: KeyUse;
}

type KeyAction = 'kms:GenerateDataKey' | 'kms:Decrypt';

/** What KMS knows of the use of a key by a service in its caller's name. */
export interface KeyUse {
  /**
   * What IAM has to allow; its resource is the key's ARN. `key` is an id, an alias, or the ARN of either.
   *
   * @throws {AwsError} for a key that is not there or cannot be used.
   */
  useBy(
    service: string,
    key: string,
    action: KeyAction,
    encryptionContext: Readonly<Record<string, string>>,
  ): Authorization & { resource: string };
}

/** One request: its target, its parameters, and what its caller may do. */
export class S3Call {
  readonly request: RestRequest;
  readonly environment: S3Environment;
  readonly operation: string;
  readonly bucketName: string;
  readonly key: string;

  constructor(
    request: RestRequest,
    environment: S3Environment,
    target: { operation: string; bucketName: string; key: string },
  ) {
    this.request = request;
    this.environment = environment;
    this.operation = target.operation;
    this.bucketName = target.bucketName;
    this.key = target.key;
  }

  get store(): ObjectStore {
    return this.environment.store;
  }

  get bucketArn(): string {
    return `arn:aws:s3:::${this.bucketName}`;
  }

  get objectArn(): string {
    return `${this.bucketArn}/${this.key}`;
  }

  /** A request header by its lower-case name. */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** A query parameter; an empty one counts as absent. */
  query(name: string): string | undefined {
    return this.request.query.get(name) || undefined;
  }

  /** The version a request asks for. An empty one is passed on, so that it is refused rather than ignored. */
  get versionId(): string | undefined {
    return this.request.query.get('versionId') ?? undefined;
  }

  /** The target bucket. @throws `NoSuchBucket` (404), or `AccessDenied` for another owner than expected. */
  bucket(): Bucket {
    const bucket = this.store.bucket(this.bucketName);
    const owner = this.header('x-amz-expected-bucket-owner');
    if (owner !== undefined && owner !== this.environment.accountId) throw accessDenied();
    return bucket;
  }

  /** Throws `AccessDenied` unless the caller may do `action` on `resource`. */
  authorize(action: string, resource: string, context: AuthorizationContext = {}): void {
    const isPublic = this.request.principal.kind === 'anonymous';
    if (isPublic && this.store.buckets.get(this.bucketName)?.publicAccessBlock.restrictPublicBuckets) {
      throw accessDenied();
    }
    this.request.authorize([withRequestContext(this, { action, resource, context })]);
  }

  /** Whether the caller may do `action`, for what is merely left out otherwise. */
  allows(action: string, resource: string, context: AuthorizationContext = {}): boolean {
    try {
      this.authorize(action, resource, context);
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.statusCode === 403) return false;
      throw error;
    }
  }

  /**
   * Throws `AccessDenied` unless the caller may use the key that an object is encrypted with: S3 calls
   * KMS in the caller's name.
   */
  authorizeKey(
    encryption: Encryption,
    actions: readonly KeyAction[],
    object: { bucketArn: string; objectArn: string } = this,
  ): void {
    const { keyArn, bucketKey } = encryption;
    if (encryption.algorithm === 'AES256' || keyArn === undefined) return;
    const subject = bucketKey ? object.bucketArn : object.objectArn;
    this.request.authorize(actions.map((action) => this.#useKey(keyArn, action, subject)));
  }

  /** The ARN of a KMS key by id, ARN or alias. @throws `KMS.NotFoundException`, `KMS.DisabledException`. */
  keyArn(key: string): string {
    return this.#useKey(key, 'kms:GenerateDataKey', this.bucketArn).resource;
  }

  #useKey(key: string, action: KeyAction, subject: string): Authorization & { resource: string } {
    try {
      return this.environment.kms.useBy('s3', key, action, { 'aws:s3:arn': subject });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new S3Error(`KMS.${error.code}`, error.message, 400);
    }
  }

  /** What this request will have caused, for events. */
  get cause(): Cause {
    return {
      reason: this.operation,
      requestId: this.request.context.requestId,
      requester: this.environment.accountId,
      // The endpoint listens on the loopback interface.
      sourceIp: '127.0.0.1',
    };
  }

  /** Reads the request's XML into memory. @throws `MissingRequestBodyError` when there is none. */
  async body(limit: number): Promise<Buffer> {
    const body = await this.request.buffer(limit);
    if (body.length === 0) {
      throw new S3Error('MissingRequestBodyError', 'Request Body is empty', 400);
    }
    return body;
  }
}
