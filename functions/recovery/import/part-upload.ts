import { PassThrough } from 'node:stream';
import { UploadPartCommand } from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import type { Bucket } from '../objects/bucket.ts';

export interface Part {
  readonly key: string;
  readonly uploadId: string;
  readonly partNumber: number;
  /** Known beforehand; S3 takes no other. */
  readonly bytes: number;
}

/**
 * One part of an object, sent piece by piece. The request begins with the first piece, because S3 ends one that is silent, and
 * S3 has the part only after `finish`.
 */
export class PartUpload {
  readonly #bucket: Bucket;
  readonly #part: Part;
  readonly #body = new PassThrough();
  readonly #abort = new AbortController();
  #sending: Promise<string> | undefined;
  #failure: Promise<never> | undefined;

  constructor(bucket: Bucket, part: Part) {
    this.#bucket = bucket;
    this.#part = part;
  }

  /** Waits while S3 does not take more. @throws DependencyError */
  async write(piece: Buffer): Promise<void> {
    this.#sending ??= this.#send();
    // S3 may give up while there is more to write; then nobody takes it, and the error is the one to tell.
    this.#failure ??= this.#sending.then(() => new Promise<never>(() => {}));
    this.#failure.catch(() => undefined);
    if (this.#body.write(piece)) return;
    await Promise.race([new Promise((drained) => this.#body.once('drain', drained)), this.#failure]);
  }

  /** @returns the part's ETag. @throws DependencyError */
  async finish(): Promise<string> {
    this.#sending ??= this.#send();
    this.#body.end();
    return this.#sending;
  }

  /** Gives up: S3 has no such part then. */
  async abort(): Promise<void> {
    this.#abort.abort();
    this.#body.destroy();
    await this.#sending?.catch(() => undefined);
  }

  async #send(): Promise<string> {
    const { key, uploadId, partNumber, bytes } = this.#part;
    const command = new UploadPartCommand({
      Bucket: this.#bucket.name,
      Key: key,
      UploadId: uploadId,
      PartNumber: partNumber,
      Body: this.#body,
      ContentLength: bytes,
    });
    const { ETag } = await onDependency('S3', `UploadPart ${key}`, () =>
      this.#bucket.s3.send(command, { abortSignal: this.#abort.signal }),
    );
    return ETag ?? '';
  }
}
