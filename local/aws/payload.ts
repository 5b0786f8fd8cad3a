import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { AwsChunkedDecoder } from './aws-chunked.ts';
import { AwsError } from './operation.ts';

interface PayloadOptions {
  /** As the signature names it; `undefined` means unchecked. */
  payloadHash: string | undefined;
  /** Called once, before the first byte is asked for (`100 Continue`). */
  onStart?: () => void;
}

/**
 * The decoded payload of a request as a stream. It takes nothing from the socket before somebody
 * reads, removes `aws-chunked` framing, and fails at its end when length or SHA-256 are not as
 * declared. Its failure leaves the socket open, so that an answer can still be sent.
 */
export class Payload extends Transform {
  /** Bytes of the decoded payload, where the client declared them. */
  readonly declaredLength: number | undefined;
  /** Signed SHA-256 of the payload in hex, if one was. */
  readonly sha256: string | undefined;
  readonly #request: IncomingMessage;
  readonly #decoder: AwsChunkedDecoder | undefined;
  readonly #hash: Hash | undefined;
  #onStart: (() => void) | undefined;
  #started = false;
  #length = 0;

  /** Throws `NotEmulated` for a payload signed chunk by chunk. */
  constructor(request: IncomingMessage, options: PayloadOptions) {
    super();
    this.#request = request;
    this.#onStart = options.onStart;
    const named = options.payloadHash;
    if (named?.startsWith('STREAMING-') && named !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
      throw new AwsError(
        'NotEmulated',
        `The local runtime does not emulate payloads of the kind ${named}`,
        501,
      );
    }
    const chunked = named?.startsWith('STREAMING-') === true;
    const length = request.headers[chunked ? 'x-amz-decoded-content-length' : 'content-length'];
    this.declaredLength = typeof length === 'string' && /^\d+$/.test(length) ? Number(length) : undefined;
    if (chunked) this.#decoder = new AwsChunkedDecoder();
    if (named !== undefined && /^[0-9a-f]{64}$/i.test(named)) {
      this.sha256 = named.toLowerCase();
      this.#hash = createHash('sha256');
    } else if (named !== undefined && !chunked && named !== 'UNSIGNED-PAYLOAD') {
      throw new AwsError(
        'InvalidArgument',
        `x-amz-content-sha256 must be a SHA-256 in hex, got '${named}'`,
        400,
      );
    }
    // A request nobody finishes to read must not take the process down with it.
    this.on('error', () => undefined);
    request.on('error', (error) => this.destroy(error));
  }

  /** Trailing headers in lower case; complete once the stream has ended. */
  get trailers(): Readonly<Record<string, string>> {
    return this.#decoder?.trailers ?? {};
  }

  /** Reads everything into memory. Throws `RequestEntityTooLarge` beyond `limit` bytes. */
  async buffer(limit: number): Promise<Buffer> {
    const tooLarge = () =>
      new AwsError('RequestEntityTooLarge', `The request body is larger than ${limit} bytes`, 413);
    if ((this.declaredLength ?? 0) > limit) throw tooLarge();
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of this.iterator({ destroyOnReturn: false })) {
      length += piece.length;
      if (length > limit) throw tooLarge();
      pieces.push(piece);
    }
    return Buffer.concat(pieces, length);
  }

  override _read(size: number): void {
    if (!this.#started) {
      this.#started = true;
      this.#onStart?.();
      this.#request.pipe(this);
    }
    super._read(size);
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      for (const data of this.#decoder?.write(piece) ?? [piece]) {
        this.#length += data.length;
        this.#hash?.update(data);
        this.push(data);
      }
      done();
    } catch (error) {
      done(asError(error));
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#decoder?.end();
      this.#checkEnd();
      done();
    } catch (error) {
      done(asError(error));
    }
  }

  #checkEnd(): void {
    if (this.declaredLength !== undefined && this.declaredLength !== this.#length) {
      const message = `The body has ${this.#length} bytes, declared were ${this.declaredLength}`;
      throw new AwsError('IncompleteBody', message, 400);
    }
    if (this.#hash && this.#hash.digest('hex') !== this.sha256) {
      throw new AwsError(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        400,
      );
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
