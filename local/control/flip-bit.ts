import { open } from 'node:fs/promises';

/**
 * Flips one bit of a file in place, as a failing disk would. Doing it twice restores the file.
 *
 * @param offset byte to change, counted from the start; default the middle of the file.
 * @param bit 0 to 7; default the lowest.
 * @returns the byte that was changed.
 */
export async function flipBit(path: string, offset?: number, bit = 0): Promise<number> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const position = offset ?? Math.floor(size / 2);
    if (position < 0 || position >= size)
      throw new RangeError(`The file has ${size} bytes, none at ${position}.`);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8() ^ (1 << bit));
    await file.write(byte, 0, 1, position);
    return position;
  } finally {
    await file.close();
  }
}
