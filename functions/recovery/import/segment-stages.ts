import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import { type Clock, isoTime } from '../clock.ts';
import { DamagedObjectError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import type { Bucket, ObjectVersion } from '../objects/bucket.ts';
import { partNumber, segmentKey, segmentWorkKey } from '../objects/object-keys.ts';
import type { StorePlace } from '../objects/store-object.ts';
import { upload } from '../objects/upload.ts';
import { readVerified, type VerifyPlace } from '../objects/verify-object.ts';
import { chooseLevel, compressStage } from '../stages/compress.ts';
import { encryptStage } from '../stages/encrypt.ts';
import { HashStage } from '../stages/hash.ts';
import type {
  CompressedSegment,
  EncryptedSegment,
  HashedSegment,
  SegmentWork,
  StoredSegment,
} from './events.ts';
import type { ImportCatalog } from './import-catalog.ts';
import { readRange } from './read-range.ts';
import { isCompressible, sampleBytes } from './recognise.ts';

export interface SegmentDependencies {
  readonly backupId: BackupId;
  readonly bucket: Bucket;
  readonly place: StorePlace;
  readonly verifyPlace: VerifyPlace;
  readonly imports: ImportCatalog;
  readonly clock: Clock;
  /** Names this attempt; part of the stored object's key. */
  readonly attempt: string;
}

const binary = 'application/octet-stream';

/** `Compress`: leaves the segment compressed, unless it would not become smaller. Either way its content is hashed. */
export async function compressSegment(
  { backupId, bucket, place, clock }: SegmentDependencies,
  { index, upload: source, from, bytes, compress }: SegmentWork,
): Promise<CompressedSegment> {
  const startedAt = isoTime(clock.now());
  const sample = compress ? await start(bucket, source, from, Math.min(bytes, sampleBytes)) : nothing;
  const hash = new HashStage();
  const content = Readable.from(readRange(bucket, source, { from, bytes }), { highWaterMark: 2 });
  const known = { index, startedAt, plainBytes: bytes };
  if (!isCompressible(sample)) {
    await pipeline(content, hash, drain);
    const piece = { ...source, from, bytes };
    return { ...known, plainSha256: hash.sha256, compression: 'none', spent: [], piece };
  }
  const key = segmentWorkKey(backupId, index, 'compressed');
  const stage = compressStage(await chooseLevel(place.compression, sample));
  const sink = new ObjectSink(place, key);
  await pipeline(content, hash, stage, (pieces: AsyncIterable<Buffer>) => sink.take(pieces));
  const { versionId } = sink;
  const piece = { key, versionId, from: 0, bytes: stage.measure.bytesOut };
  const spent = [{ key, versionId }];
  return { ...known, plainSha256: hash.sha256, compression: place.compression.format, spent, piece };
}

/** `Encrypt`: leaves the segment as one message, which says what it is part of. */
export async function encryptSegment(
  { backupId, bucket, place }: SegmentDependencies,
  { piece, ...segment }: CompressedSegment,
): Promise<EncryptedSegment> {
  const context = {
    'mainstay:backup': backupId,
    'mainstay:kind': 'import',
    'mainstay:segment': partNumber(segment.index),
  };
  const key = segmentWorkKey(backupId, segment.index, 'encrypted');
  const stage = encryptStage(place.keyring, context);
  const content = Readable.from(readRange(bucket, piece, piece), { highWaterMark: 2 });
  const sink = new ObjectSink(place, key);
  await pipeline(content, stage, (pieces: AsyncIterable<Buffer>) => sink.take(pieces));
  const { versionId } = sink;
  const message = { key, versionId, bytes: stage.measure.bytesOut };
  const { escrow } = stage;
  return {
    ...segment,
    spent: [...segment.spent, { key, versionId }],
    message,
    context,
    ...(escrow && { escrow }),
  };
}

/** `Hash`: the SHA-256 of the message. */
export async function hashSegment(
  { bucket }: Pick<SegmentDependencies, 'bucket'>,
  segment: EncryptedSegment,
): Promise<HashedSegment> {
  const { message } = segment;
  const hash = createHash('sha256');
  for await (const piece of readRange(bucket, message, { from: 0, bytes: message.bytes })) hash.update(piece);
  return { ...segment, sha256: hash.digest('hex') };
}

/** `Store`: puts the message where backups are. S3 copies it by itself. */
export async function storeSegment(
  { backupId, bucket, attempt }: Pick<SegmentDependencies, 'backupId' | 'bucket' | 'attempt'>,
  segment: HashedSegment,
): Promise<StoredSegment> {
  const { index, startedAt, spent, plainSha256, plainBytes, compression, context, message, sha256 } = segment;
  const key = segmentKey(backupId, index, attempt, compression);
  const version = message.versionId === null ? '' : `?versionId=${message.versionId}`;
  const copied = await onDependency('S3', `CopyObject ${key}`, () =>
    bucket.s3.send(
      new CopyObjectCommand({
        Bucket: bucket.name,
        Key: key,
        CopySource: `${bucket.name}/${message.key}${version}`,
      }),
    ),
  );
  const object = {
    kind: 'import' as const,
    key,
    versionId: copied.VersionId ?? null,
    sha256,
    storedBytes: message.bytes,
    compression,
    plainBytes,
    context,
    ...(segment.escrow && { escrow: segment.escrow }),
  };
  return { index, startedAt, spent, plainSha256, object };
}

/**
 * `Verify`: reads the stored segment back as whoever restores it would, and compares its content with the upload's. What
 * was left of it in between is removed.
 *
 * @throws DamagedObjectError, DependencyError.
 */
export async function verifySegment(
  { bucket, verifyPlace, imports, clock }: Omit<SegmentDependencies, 'backupId' | 'place' | 'attempt'>,
  segment: StoredSegment,
): Promise<StoredSegment> {
  const { index, object, plainSha256, startedAt } = segment;
  const hash = createHash('sha256');
  const { problem } = await readVerified(verifyPlace, object, (piece) => {
    hash.update(piece);
  });
  if (problem !== undefined) throw new DamagedObjectError(`${object.key}: ${problem.detail}`);
  if (hash.digest('hex') !== plainSha256) {
    throw new DamagedObjectError(`${object.key}: its content is not that of the upload.`);
  }
  await imports.putSegment({ index, object, plainSha256, startedAt, verifiedAt: isoTime(clock.now()) });
  // What stays goes with the end of the import, or by lifecycle.
  for (const version of segment.spent) await remove(bucket, version).catch(() => undefined);
  return segment;
}

const nothing = Buffer.alloc(0);

async function start(bucket: Bucket, source: ObjectVersion, from: number, bytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of readRange(bucket, source, { from, bytes })) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function drain(pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of pieces);
}

/** Uploads what comes out of the last stage. */
class ObjectSink {
  readonly #place: Pick<StorePlace, 's3' | 'bucket'>;
  readonly #key: string;
  versionId: string | null = null;

  constructor(place: Pick<StorePlace, 's3' | 'bucket'>, key: string) {
    this.#place = place;
    this.#key = key;
  }

  async take(pieces: AsyncIterable<Buffer>): Promise<void> {
    const target = { bucket: this.#place.bucket, key: this.#key, contentType: binary };
    this.versionId = await upload(this.#place.s3, target, Readable.from(pieces));
  }
}

async function remove(bucket: Bucket, { key, versionId }: ObjectVersion): Promise<void> {
  await bucket.s3.send(
    new DeleteObjectCommand({
      Bucket: bucket.name,
      Key: key,
      ...(versionId === null ? {} : { VersionId: versionId }),
    }),
  );
}
