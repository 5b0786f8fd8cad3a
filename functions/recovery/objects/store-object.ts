import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { KeyringNode } from '@aws-crypto/material-management-node';
import type { S3Client } from '@aws-sdk/client-s3';
import type { EscrowKeys } from '../keys/escrow-model.ts';
import type { StageTotals } from '../model.ts';
import { type Compression, chooseLevel, compressStage, passStage, sampleBytes } from '../stages/compress.ts';
import { encryptStage } from '../stages/encrypt.ts';
import { HashStage } from '../stages/hash.ts';
import type { ObjectKind, StoredObject } from '../workflow.ts';
import { upload } from './upload.ts';

/** Where objects go, and how they are made. */
export interface StorePlace {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly keyring: KeyringNode;
  /** What the keyring wraps data keys by besides; absent: nothing. */
  readonly escrow?: EscrowKeys | undefined;
  readonly compression: Compression;
}

export interface ObjectToStore {
  readonly kind: ObjectKind;
  readonly key: string;
  /** Names backup, shard and what the object holds. */
  readonly context: Readonly<Record<string, string>>;
  readonly source: AsyncIterable<Buffer>;
  /** Hears of each piece of the source that is not read any more. */
  readonly consumed?: (piece: Buffer) => void;
  /** Default `true`; `false` for content that came compressed already. */
  readonly compress?: boolean;
}

export interface StoreResult {
  readonly object: StoredObject;
  readonly stages: StageTotals;
}

/**
 * Stores a stream as one object in one pass: compress, encrypt, hash, upload. Every stage waits for the next,
 * so that memory does not grow with the data.
 *
 * @throws DependencyError naming S3 or KMS; whatever `source` throws.
 */
export async function storeObject(place: StorePlace, what: ObjectToStore): Promise<StoreResult> {
  const source = new Source(what.source);
  const compress =
    what.compress === false
      ? passStage()
      : compressStage(await chooseLevel(place.compression, await source.peek(sampleBytes)), what.consumed);
  const encrypt = encryptStage(place.keyring, what.context);
  const hash = new HashStage();
  let versionId: string | null = null;
  let storing = 0;
  await pipeline(
    Readable.from(source, { highWaterMark: 2 }),
    compress,
    encrypt,
    hash,
    async (pieces: AsyncIterable<Buffer>) => {
      const started = performance.now();
      const output = new Source(pieces);
      const target = { bucket: place.bucket, key: what.key, contentType: 'application/octet-stream' };
      versionId = await upload(place.s3, target, Readable.from(output));
      storing = performance.now() - started - output.busyMs;
    },
  );
  const { sha256 } = hash;
  return {
    object: {
      kind: what.kind,
      key: what.key,
      versionId,
      sha256,
      storedBytes: hash.measure.bytesOut,
      compression: what.compress === false ? 'none' : place.compression.format,
      plainBytes: source.bytes,
      context: { ...what.context },
      ...(encrypt.escrow !== undefined && { escrow: encrypt.escrow }),
    },
    stages: {
      dump: { bytes: source.bytes, durationMs: Math.round(source.busyMs) },
      compress: stage(compress.measure),
      encrypt: stage(encrypt.measure),
      hash: stage(hash.measure),
      store: { bytes: hash.measure.bytesOut, durationMs: Math.round(storing) },
    },
  };
}

const stage = ({ bytesOut, busyMs }: { bytesOut: number; busyMs: number }) => ({
  bytes: bytesOut,
  durationMs: Math.round(busyMs),
});

/** A source whose beginning can be looked at; counts its bytes, and the time that was spent waiting for them. */
class Source implements AsyncIterable<Buffer> {
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #head: Buffer[] = [];
  bytes = 0;
  busyMs = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#pieces = source[Symbol.asyncIterator]();
  }

  /** The first `length` bytes or a little more; all there are when they are fewer. */
  async peek(length: number): Promise<Buffer> {
    while (this.bytes < length) {
      const piece = await this.#next();
      if (piece === undefined) break;
      this.#head.push(piece);
    }
    return Buffer.concat(this.#head);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (let piece = this.#head.shift(); piece !== undefined; piece = this.#head.shift()) yield piece;
      for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) yield piece;
    } finally {
      await this.#pieces.return?.();
    }
  }

  async #next(): Promise<Buffer | undefined> {
    const asked = performance.now();
    const { done, value } = await this.#pieces.next();
    this.busyMs += performance.now() - asked;
    if (done === true) return undefined;
    this.bytes += value.length;
    return value;
  }
}
