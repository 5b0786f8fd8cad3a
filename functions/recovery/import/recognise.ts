import { constants, gunzipSync, zstdCompressSync } from 'node:zlib';
import type { DumpFormat, Packing } from './model.ts';

/** How much of a dump's beginning is looked at. */
export const sampleBytes = 1024 * 1024;
/** Content that zstd makes less than this much smaller is not worth compressing. */
const worthwhile = 0.97;

export interface Recognised {
  readonly format: DumpFormat;
  readonly packing: Packing;
}

const starts = (bytes: Buffer, hex: string): boolean =>
  bytes.subarray(0, hex.length / 2).equals(Buffer.from(hex, 'hex'));

const packings: readonly (readonly [Packing, string])[] = [
  ['gzip', '1f8b'],
  ['zstd', '28b52ffd'],
  ['bzip2', '425a68'],
  ['xz', 'fd377a585a00'],
  ['lz4', '04224d18'],
  ['zip', '504b0304'],
];

/**
 * What a dump is, by its first bytes. Compressed ones are told by their magic number, a gzip's content by its own; what has
 * neither and does not become smaller is `other`: compressed or encrypted by something that is not known here.
 *
 * @param head the first mebibyte, or all there is.
 */
export function recognise(head: Buffer): Recognised {
  const packing = packings.find(([, magic]) => starts(head, magic))?.[0];
  if (packing !== undefined) {
    return { format: packing === 'gzip' ? formatOf(gunzipStart(head)) : 'other', packing };
  }
  const format = formatOf(head);
  const own = format === 'pg_dump-custom' ? customPacking(head) : undefined;
  if (own !== undefined) return { format, packing: own };
  return { format, packing: isCompressible(head) ? 'none' : 'other' };
}

/** Whether compressing pays, by the beginning of what would be compressed. */
export function isCompressible(sample: Buffer): boolean {
  if (sample.length === 0) return false;
  const packed = zstdCompressSync(sample, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  return packed.length < sample.length * worthwhile;
}

function formatOf(head: Buffer): DumpFormat {
  if (starts(head, '5047444d50')) return 'pg_dump-custom';
  if (starts(head, '6de29981')) return 'mongodump-archive';
  if (head.length > 262 && head.subarray(257, 262).toString('latin1') === 'ustar') return 'tar';
  return 'other';
}

/** The first bytes of what was gzipped; nothing when it cannot be told. */
function gunzipStart(head: Buffer): Buffer {
  try {
    return gunzipSync(head.subarray(0, 64 * 1024), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: 256 * 1024 * 1024,
    }).subarray(0, 1024);
  } catch {
    return Buffer.alloc(0);
  }
}

/**
 * How the data of a `pg_dump -Fc` is compressed, by its header: five letters, three bytes of version, the sizes of
 * integers and offsets, the format, and then from 1.15 on (PostgreSQL 16) the algorithm, before it the level. Nothing
 * when it is not compressed, or the header is not one of these.
 */
function customPacking(head: Buffer): Packing | undefined {
  const [major = 0, minor = 0, , integerBytes = 0, , format = 0] = head.subarray(5, 11);
  if (major !== 1 || format !== 1) return undefined;
  if (minor >= 15) return ([undefined, 'gzip', 'lz4', 'zstd'] as const)[head[11] ?? 0];
  const [sign = 0, ...level] = head.subarray(11, 12 + integerBytes);
  return sign !== 0 || level.some((byte) => byte !== 0) ? 'gzip' : undefined;
}
