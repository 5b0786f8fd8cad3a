import { viewOf } from './log-line.ts';

/** Numbers sequences of bytes in the order in which they come first, without making strings of them. */
export class ByteTable {
  /** The number of a sequence, and one; 0 where there is none. Twice as many at least as there are sequences. */
  #slots = new Int32Array(64);
  #hashes = new Int32Array(32);
  #starts = new Int32Array(32);
  #lengths = new Int32Array(32);
  #size = 0;
  #keys = Buffer.alloc(1024);
  #view = viewOf(this.#keys);
  #used = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * The number of the bytes of `buffer` from `start` to `end`: that of the last time, or else the next one, which is `size` before the call.
   *
   * @param view the same bytes.
   */
  numberOf(buffer: Buffer, view: DataView, start: number, end: number): number {
    let hash = 0x811c9dc5;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; at < end; at += 1) hash = Math.imul(hash ^ (buffer[at] ?? 0), 0x01000193);
    hash ^= hash >>> 15;
    const length = end - start;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const index = (slots[slot] ?? 0) - 1;
      if (index < 0) return this.#insert(slot, hash, buffer, start, length);
      if (this.#hashes[index] === hash && this.#equals(index, buffer, view, start, length)) return index;
      slot = (slot + 1) & mask;
    }
  }

  /** The sequence of a number, as text. */
  textOf(index: number): string {
    const start = this.#starts[index] ?? 0;
    return this.#keys.toString('utf8', start, start + (this.#lengths[index] ?? 0));
  }

  /**
   * Forgets sequences. Those that are left are numbered anew, in the order in which they were.
   *
   * @param stays of their numbers, in rising order.
   */
  keep(stays: Int32Array): void {
    const [hashes, starts, lengths, keys] = [this.#hashes, this.#starts, this.#lengths, this.#keys];
    this.#slots.fill(0);
    this.#used = 0;
    this.#size = stays.length;
    stays.forEach((from, index) => {
      const [hash, start, length] = [hashes[from] ?? 0, starts[from] ?? 0, lengths[from] ?? 0];
      keys.copyWithin(this.#used, start, start + length);
      hashes[index] = hash;
      starts[index] = this.#used;
      lengths[index] = length;
      this.#used += length;
      this.#slots[this.#free(hash)] = index + 1;
    });
  }

  clear(): void {
    this.keep(new Int32Array(0));
  }

  #equals(index: number, buffer: Buffer, view: DataView, start: number, length: number): boolean {
    if (this.#lengths[index] !== length) return false;
    const key = this.#starts[index] ?? 0;
    const own = this.#view;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      if (own.getInt32(key + at, true) !== view.getInt32(start + at, true)) return false;
    }
    for (; at < length; at += 1) if (this.#keys[key + at] !== buffer[start + at]) return false;
    return true;
  }

  #insert(slot: number, hash: number, buffer: Buffer, start: number, length: number): number {
    const index = this.#size;
    const grown = index === this.#hashes.length;
    if (grown) this.#grow();
    if (this.#used + length > this.#keys.length) {
      const larger = Buffer.alloc(Math.max(this.#keys.length * 2, this.#used + length));
      this.#keys.copy(larger);
      this.#keys = larger;
      this.#view = viewOf(larger);
    }
    buffer.copy(this.#keys, this.#used, start, start + length);
    this.#hashes[index] = hash;
    this.#starts[index] = this.#used;
    this.#lengths[index] = length;
    this.#used += length;
    this.#size += 1;
    this.#slots[grown ? this.#free(hash) : slot] = index + 1;
    return index;
  }

  #free(hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const size = this.#hashes.length * 2;
    this.#hashes = copyOf(this.#hashes, size);
    this.#starts = copyOf(this.#starts, size);
    this.#lengths = copyOf(this.#lengths, size);
    this.#slots = new Int32Array(size * 2);
    for (let index = 0; index < this.#size; index += 1) {
      this.#slots[this.#free(this.#hashes[index] ?? 0)] = index + 1;
    }
  }
}

function copyOf(array: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size);
  larger.set(array);
  return larger;
}
