import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { maximumData } from './keys.ts';

/** What no item of this table comes near: data that says it is larger is not ours. */
const maximumText = 64 * 1024 * 1024;

export interface Packed {
  readonly text: string;
  readonly data: Buffer;
}

/**
 * Packs values into as few pieces as fit an item, halving what does not.
 *
 * @throws RangeError for one value that fits no item.
 */
export function packInPieces<T>(
  values: readonly T[],
  textOf: (piece: readonly T[]) => string,
): [Packed, readonly T[]][] {
  const text = textOf(values);
  const data = zstdCompressSync(text);
  if (data.length <= maximumData) return [[{ text, data }, values]];
  if (values.length === 1) throw new RangeError(`One value takes ${data.length} bytes`);
  const half = values.length >> 1;
  return [...packInPieces(values.slice(0, half), textOf), ...packInPieces(values.slice(half), textOf)];
}

/** The text of an item's `data`. */
export function unpack(data: Uint8Array): string {
  return zstdDecompressSync(data, { maxOutputLength: maximumText }).toString('utf8');
}
