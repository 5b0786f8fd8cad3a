const rounds = 64;
const blockBytes = 64;
/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const constants = Int32Array.from(primes(rounds), (prime) => fraction(Math.cbrt(prime)));
/** Of the square roots of the first eight (FIPS 180-4, 5.3.3). */
const initial = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32) | 0;
}

/** A SHA-256 that has come so far, as JSON. */
export interface Sha256State {
  readonly words: number[];
  /** What has not made a block yet, hex. */
  readonly rest: string;
  readonly bytes: number;
}

/**
 * SHA-256 (FIPS 180-4) that can be put aside and taken up again by another process, which Node's cannot: what is hashed
 * may take longer than a function runs.
 */
export class ResumableSha256 {
  readonly #words: Int32Array;
  readonly #block = Buffer.alloc(blockBytes);
  readonly #schedule = new Int32Array(rounds);
  #filled = 0;
  #bytes = 0;

  constructor(state?: Sha256State) {
    this.#words = Int32Array.from(state?.words ?? initial);
    if (state === undefined) return;
    this.#filled = this.#block.write(state.rest, 'hex');
    this.#bytes = state.bytes;
  }

  /** Bytes that have been hashed. */
  get bytes(): number {
    return this.#bytes;
  }

  get state(): Sha256State {
    const rest = this.#block.subarray(0, this.#filled).toString('hex');
    return { words: [...this.#words], rest, bytes: this.#bytes };
  }

  update(piece: Buffer): void {
    this.#bytes += piece.length;
    let at = 0;
    if (this.#filled > 0) {
      at = piece.copy(this.#block, this.#filled, 0, blockBytes - this.#filled);
      this.#filled += at;
      if (this.#filled < blockBytes) return;
      this.#compress(this.#block, 0);
      this.#filled = 0;
    }
    for (; at + blockBytes <= piece.length; at += blockBytes) this.#compress(piece, at);
    this.#filled = piece.copy(this.#block, 0, at);
  }

  /** Hex digest of all that has passed; nothing more can be added. */
  digest(): string {
    const bytes = this.#bytes;
    const padding = Buffer.alloc((this.#filled < 56 ? 56 : 120) - this.#filled + 8);
    padding[0] = 0x80;
    padding.writeBigUInt64BE(BigInt(bytes) * 8n, padding.length - 8);
    this.update(padding);
    const output = Buffer.alloc(32);
    for (const [index, word] of this.#words.entries()) output.writeInt32BE(word, index * 4);
    return output.toString('hex');
  }

  #compress(source: Buffer, at: number): void {
    const schedule = this.#schedule;
    for (let t = 0, from = at; t < 16; t++, from += 4) {
      schedule[t] =
        ((source[from] ?? 0) << 24) |
        ((source[from + 1] ?? 0) << 16) |
        ((source[from + 2] ?? 0) << 8) |
        (source[from + 3] ?? 0);
    }
    for (let t = 16; t < rounds; t++) {
      const x = schedule[t - 15] ?? 0;
      const y = schedule[t - 2] ?? 0;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      schedule[t] = ((schedule[t - 16] ?? 0) + s0 + (schedule[t - 7] ?? 0) + s1) | 0;
    }
    const words = this.#words;
    // Destructuring would make an iterator for each block, which is most of the time then.
    let a = words[0] ?? 0;
    let b = words[1] ?? 0;
    let c = words[2] ?? 0;
    let d = words[3] ?? 0;
    let e = words[4] ?? 0;
    let f = words[5] ?? 0;
    let g = words[6] ?? 0;
    let h = words[7] ?? 0;
    for (let t = 0; t < rounds; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const choice = (e & f) ^ (~e & g);
      const t1 = (h + s1 + choice + (constants[t] ?? 0) + (schedule[t] ?? 0)) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const t2 = (s0 + majority) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    words[0] = (words[0] ?? 0) + a;
    words[1] = (words[1] ?? 0) + b;
    words[2] = (words[2] ?? 0) + c;
    words[3] = (words[3] ?? 0) + d;
    words[4] = (words[4] ?? 0) + e;
    words[5] = (words[5] ?? 0) + f;
    words[6] = (words[6] ?? 0) + g;
    words[7] = (words[7] ?? 0) + h;
  }
}
