/** Appends a whole number of 0 or more, 7 bits a byte, the lowest first, as Protocol Buffers write it. */
export function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/**
 * Reads what `writeVarint` has written.
 *
 * @throws RangeError when it ends too early, or is larger than a number can be exactly.
 */
export function readVarint(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0;
  let factor = 1;
  for (let at = from; at < bytes.length && at < from + 8; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte % 128) * factor;
    if (byte < 128) {
      if (!Number.isSafeInteger(value)) break;
      return { value, next: at + 1 };
    }
    factor *= 128;
  }
  throw new RangeError('The number does not end, or is too large');
}
