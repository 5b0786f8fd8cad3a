/**
 * PostgreSQL's `hash_bytes_extended`: Bob Jenkins's lookup3 with a seed of 64 bits, over bytes read as on a little-endian
 * machine (src/common/hashfn.c). What it gives is part of PostgreSQL's on-disk contract for hash partitions, and so stays.
 */

const golden = 0x9e3779b9;
const offset = 3923095;

/** Three words of state, all of 32 bits. */
interface State {
  a: number;
  b: number;
  c: number;
}

/**
 * Hash of any bytes.
 *
 * @param seed 0 where PostgreSQL routes rows by `hashtextextended(key, 0)` and its like.
 * @returns an unsigned number of 64 bits; PostgreSQL shows it as a signed one.
 */
export function hashBytes(bytes: Uint8Array, seed = 0n): bigint {
  const state = seeded(bytes.length, seed);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) {
    state.a = (state.a + view.getUint32(at, true)) | 0;
    state.b = (state.b + view.getUint32(at + 4, true)) | 0;
    state.c = (state.c + view.getUint32(at + 8, true)) | 0;
    mix(state);
  }
  for (let index = 0; at + index < bytes.length; index += 1) {
    const byte = view.getUint8(at + index);
    if (index < 4) state.a = (state.a + (byte << (8 * index))) | 0;
    else if (index < 8) state.b = (state.b + (byte << (8 * (index - 4)))) | 0;
    // The lowest byte of the third word is the length's.
    else state.c = (state.c + (byte << (8 * (index - 7)))) | 0;
  }
  return finish(state);
}

/** Hash of a number of 32 bits, as `hash_bytes_uint32_extended` has it: not the same as that of its four bytes. */
export function hashWord(word: number, seed = 0n): bigint {
  const state = seeded(4, seed);
  state.a = (state.a + word) | 0;
  return finish(state);
}

function seeded(length: number, seed: bigint): State {
  const start = (golden + length + offset) | 0;
  const state = { a: start, b: start, c: start };
  if (seed !== 0n) {
    const bits = BigInt.asUintN(64, seed);
    state.a = (state.a + Number(bits >> 32n)) | 0;
    state.b = (state.b + Number(bits & 0xffffffffn)) | 0;
    mix(state);
  }
  return state;
}

const rotate = (word: number, by: number) => (word << by) | (word >>> (32 - by));

function mix(s: State): void {
  s.a = ((s.a - s.c) ^ rotate(s.c, 4)) | 0;
  s.c = (s.c + s.b) | 0;
  s.b = ((s.b - s.a) ^ rotate(s.a, 6)) | 0;
  s.a = (s.a + s.c) | 0;
  s.c = ((s.c - s.b) ^ rotate(s.b, 8)) | 0;
  s.b = (s.b + s.a) | 0;
  s.a = ((s.a - s.c) ^ rotate(s.c, 16)) | 0;
  s.c = (s.c + s.b) | 0;
  s.b = ((s.b - s.a) ^ rotate(s.a, 19)) | 0;
  s.a = (s.a + s.c) | 0;
  s.c = ((s.c - s.b) ^ rotate(s.b, 4)) | 0;
  s.b = (s.b + s.a) | 0;
}

function finish(s: State): bigint {
  s.c = ((s.c ^ s.b) - rotate(s.b, 14)) | 0;
  s.a = ((s.a ^ s.c) - rotate(s.c, 11)) | 0;
  s.b = ((s.b ^ s.a) - rotate(s.a, 25)) | 0;
  s.c = ((s.c ^ s.b) - rotate(s.b, 16)) | 0;
  s.a = ((s.a ^ s.c) - rotate(s.c, 4)) | 0;
  s.b = ((s.b ^ s.a) - rotate(s.a, 14)) | 0;
  s.c = ((s.c ^ s.b) - rotate(s.b, 24)) | 0;
  return (BigInt(s.b >>> 0) << 32n) | BigInt(s.c >>> 0);
}
