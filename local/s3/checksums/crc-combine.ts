import { type CrcName, crcParameters } from './crc.ts';

/** The CRC of a run of bytes (big-endian) and how many bytes it covers. */
export interface CrcPiece {
  crc: Uint8Array;
  length: number;
}

/**
 * The CRC of the pieces' bytes joined, from their CRCs alone. Appending n bytes multiplies a CRC,
 * read as a polynomial, by x^(8n); the CRC of what was appended is then added.
 */
export function combineCrcs(name: CrcName, pieces: readonly CrcPiece[]): Buffer {
  const { bits, polynomial } = crcParameters[name];
  // Parts of one upload nearly all have the same length, so that the powers are worth keeping.
  const powers = new Map<number, bigint>();
  let total = 0n;
  for (const { crc, length } of pieces) {
    let power = powers.get(length);
    if (power === undefined) {
      power = powerOfX(8n * BigInt(length), bits, polynomial);
      powers.set(length, power);
    }
    total = multiply(total, power, bits, polynomial) ^ BigInt(`0x${Buffer.from(crc).toString('hex')}`);
  }
  return Buffer.from(total.toString(16).padStart(bits / 4, '0'), 'hex');
}

/** The product modulo the polynomial; bit-reflected, so that the top bit is x^0. */
function multiply(left: bigint, right: bigint, bits: number, polynomial: bigint): bigint {
  let product = 0n;
  let shifted = right;
  for (let mask = 1n << BigInt(bits - 1); mask > 0n; mask >>= 1n) {
    if (left & mask) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}

function powerOfX(exponent: bigint, bits: number, polynomial: bigint): bigint {
  let result = 1n << BigInt(bits - 1);
  let square = result >> 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(result, square, bits, polynomial);
    square = multiply(square, square, bits, polynomial);
  }
  return result;
}
