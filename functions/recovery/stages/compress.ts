import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  type ZstdOptions,
  zstdCompress,
} from 'node:zlib';
import { Stage } from './stage.ts';

export interface Compression {
  readonly format: 'zstd' | 'gzip';
  /** zstd: 1 to 19, gzip: 1 to 9. */
  readonly level: number;
}

/** How much of the beginning of a stream decides whether a faster level does as well. */
export const sampleBytes = 1024 * 1024;
/** By how much a faster level's result may be larger. */
const tolerance = 1.04;
/** zstd's levels that are worth a try, fastest first. */
const fasterLevels = [1, 2] as const;
const bufferBytes = 512 * 1024;

/**
 * Compresses a stream; the result carries a checksum of its content (zstd's XXH64, gzip's CRC-32).
 *
 * @param consumed hears of each piece that is not read any more.
 */
export function compressStage({ format, level }: Compression, consumed?: (piece: Buffer) => void): Stage {
  const inner =
    format === 'gzip'
      ? createGzip({ level: Math.min(level, 9), chunkSize: bufferBytes })
      : createZstdCompress(zstdOptions(level));
  return new Stage(inner, 2 * bufferBytes, consumed);
}

/** Passes content on as it is: for what came compressed already. */
export const passStage = (): Stage =>
  new Stage(new PassThrough({ highWaterMark: bufferBytes }), 2 * bufferBytes);

/** Reverses `compressStage`: one zstd frame, or gzip's members; `none`: passes it on as it is. */
export function decompressStage(format: Compression['format'] | 'none'): Stage {
  if (format === 'none') return passStage();
  const options = { chunkSize: bufferBytes };
  const inner = format === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  return new Stage(inner, 2 * bufferBytes);
}

/**
 * A zstd level is a size to reach, not the work to do: where the beginning of the data becomes about as small at a
 * faster level, that one is used. On much text of databases it does, at up to twice the speed.
 */
export async function chooseLevel(compression: Compression, sample: Buffer): Promise<Compression> {
  const levels = fasterLevels.filter((level) => level < compression.level);
  if (compression.format === 'gzip' || levels.length === 0 || sample.length < sampleBytes) return compression;
  const sizeAt = async (level: number) => (await compressSample(sample, zstdOptions(level))).length;
  const [asked, ...sizes] = await Promise.all([compression.level, ...levels].map(sizeAt));
  const limit = (asked ?? 0) * tolerance;
  const level = levels.find((_, index) => (sizes[index] ?? Number.POSITIVE_INFINITY) <= limit);
  return level === undefined ? compression : { ...compression, level };
}

const compressSample = promisify<Buffer, ZstdOptions, Buffer>(zstdCompress);

const zstdOptions = (level: number): ZstdOptions => ({
  chunkSize: bufferBytes,
  params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
});
