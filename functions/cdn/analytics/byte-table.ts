/** Finds what belongs to a sequence of bytes, without making a string of it. */
export class ByteTable<T> {
  #slots = new Int32Array(64);
  #hashes = new Int32Array(32);
  #starts = new Int32Array(32);
  #lengths = new Int32Array(32);
  #values: T[] = [];
  #keys = Buffer.alloc(1024);
  #used = 0;

  get size(): number {
    return this.#values.length;
  }

  /**
   * What belongs to the bytes of `buffer` from `start` to `end`; what it was made to be where they are new.
   *
   * @param make gets the bytes as text.
   */
  find(buffer: Buffer, start: number, end: number, make: (text: string) => T): T {
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (buffer[at] ?? 0), 0x01000193);
    hash ^= hash >>> 15;
    const length = end - start;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const index = (this.#slots[slot] ?? 0) - 1;
      if (index < 0) break;
      if (
        this.#hashes[index] === hash &&
        this.#lengths[index] === length &&
        this.#equals(this.#starts[index] ?? 0, buffer, start, length)
      ) {
        const value = this.#values[index];
        if (value !== undefined) return value;
      }
      slot = (slot + 1) & mask;
    }
    const value = make(buffer.toString('utf8', start, end));
    this.#insert(slot, hash, buffer, start, length, value);
    return value;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#values = [];
    this.#used = 0;
  }

  #equals(key: number, buffer: Buffer, start: number, length: number): boolean {
    const keys = this.#keys;
    for (let at = 0; at < length; at += 1) if (keys[key + at] !== buffer[start + at]) return false;
    return true;
  }

  #insert(slot: number, hash: number, buffer: Buffer, start: number, length: number, value: T): void {
    const index = this.#values.length;
    const grown = index === this.#hashes.length;
    if (grown) this.#grow();
    if (this.#used + length > this.#keys.length) {
      const larger = Buffer.alloc(Math.max(this.#keys.length * 2, this.#used + length));
      this.#keys.copy(larger);
      this.#keys = larger;
    }
    buffer.copy(this.#keys, this.#used, start, start + length);
    this.#hashes[index] = hash;
    this.#starts[index] = this.#used;
    this.#lengths[index] = length;
    this.#used += length;
    this.#values.push(value);
    this.#slots[grown ? this.#free(hash) : slot] = index + 1;
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
    this.#values.forEach((_, index) => {
      this.#slots[this.#free(this.#hashes[index] ?? 0)] = index + 1;
    });
  }
}

function copyOf(array: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size);
  larger.set(array);
  return larger;
}
