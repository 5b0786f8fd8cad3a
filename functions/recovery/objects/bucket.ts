import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import { DamagedObjectError, isChecksumMismatch } from '../errors.ts';

/** A particular object; without a version the latest. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string | null;
}

export interface StoredText extends ObjectVersion {
  readonly text: string;
}

/** Part of an object. */
export interface ByteRange {
  readonly from: number;
  readonly bytes: number;
}

/** Reads and writes whole objects of one bucket; streams are `upload`'s. */
export class Bucket {
  readonly s3: S3Client;
  readonly name: string;

  constructor(s3: S3Client, name: string) {
    this.s3 = s3;
    this.name = name;
  }

  /**
   * @param range default: all of it.
   * @returns the object, or nothing when it, or this version of it, is not there.
   * @throws DependencyError
   */
  async open(
    { key, versionId }: ObjectVersion,
    range?: ByteRange,
  ): Promise<GetObjectCommandOutput | undefined> {
    return onDependency('S3', `GetObject ${key}`, async () => {
      try {
        return await this.s3.send(
          new GetObjectCommand({
            Bucket: this.name,
            Key: key,
            ...(versionId === null ? {} : { VersionId: versionId }),
            ...(range && { Range: `bytes=${range.from}-${range.from + range.bytes - 1}` }),
          }),
        );
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /**
   * @returns the size of an object, and which version that is; nothing when it, or this version of it, is not there.
   * @throws DependencyError
   */
  async look({ key, versionId }: ObjectVersion): Promise<(ObjectVersion & { bytes: number }) | undefined> {
    return onDependency('S3', `HeadObject ${key}`, async () => {
      try {
        const head = await this.s3.send(
          new HeadObjectCommand({
            Bucket: this.name,
            Key: key,
            ...(versionId === null ? {} : { VersionId: versionId }),
          }),
        );
        return { key, versionId: head.VersionId ?? versionId, bytes: head.ContentLength ?? 0 };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /**
   * @returns the object's text, or nothing when it is not there.
   * @throws DependencyError, DamagedObjectError
   */
  async readText(object: ObjectVersion): Promise<StoredText | undefined> {
    const answer = await this.open(object);
    if (answer?.Body === undefined) return undefined;
    const body = answer.Body;
    const text = await onDependency('S3', `GetObject ${object.key}`, async () => {
      try {
        return await body.transformToString('utf8');
      } catch (error) {
        if (!isChecksumMismatch(error)) throw error;
        throw new DamagedObjectError(`${object.key} does not have the checksum that S3 keeps with it.`);
      }
    });
    return { key: object.key, versionId: answer.VersionId ?? object.versionId, text };
  }

  /** @returns the version id; `null` where the bucket keeps no versions. */
  async writeText(key: string, text: string, contentType = 'application/json'): Promise<string | null> {
    return this.#put(key, text, { ContentType: contentType });
  }

  /** Writes an object that must not exist yet; `undefined` when it does. */
  async create(key: string, text: string): Promise<{ versionId: string | null } | undefined> {
    try {
      return { versionId: await this.#put(key, text, { IfNoneMatch: '*' }) };
    } catch (error) {
      if (statusOf(error) === 412) return undefined;
      throw error;
    }
  }

  /**
   * Writes another version of an object, if the one given is the latest still; `undefined` when it is not.
   * Requires `s3:GetObject` beside `s3:PutObject`, as every conditional write over an object does.
   */
  async replace({ key, versionId }: ObjectVersion, text: string): Promise<ObjectVersion | undefined> {
    const head = await onDependency('S3', `HeadObject ${key}`, async () => {
      try {
        return await this.s3.send(new HeadObjectCommand({ Bucket: this.name, Key: key }));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
    if (head?.ETag === undefined || (head.VersionId ?? null) !== versionId) return undefined;
    try {
      return { key, versionId: await this.#put(key, text, { IfMatch: head.ETag }) };
    } catch (error) {
      if (statusOf(error) === 412) return undefined;
      throw error;
    }
  }

  async #put(
    key: string,
    text: string,
    options: { IfNoneMatch?: '*'; IfMatch?: string; ContentType?: string },
  ): Promise<string | null> {
    const stored = await onDependency('S3', `PutObject ${key}`, () =>
      this.s3.send(
        new PutObjectCommand({
          Bucket: this.name,
          Key: key,
          Body: text,
          ContentType: 'application/json',
          ChecksumAlgorithm: 'SHA256',
          ...options,
        }),
      ),
    );
    return stored.VersionId ?? null;
  }
}

/** A version id that S3 never gave is an invalid argument to it. */
const missingCodes: ReadonlySet<string> = new Set([
  'NoSuchKey',
  'NoSuchVersion',
  'NotFound',
  'MethodNotAllowed',
]);

function isMissing(error: unknown): boolean {
  return error instanceof NoSuchKey || (error instanceof S3ServiceException && missingCodes.has(error.name));
}

function statusOf(error: unknown): number | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
}
