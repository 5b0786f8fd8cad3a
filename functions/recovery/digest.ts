import { createHash, type Hash, hash } from 'node:crypto';

const newline = 0x0a;
const words = 8;
/** Sums stay exact in a double for two million additions of a 32-bit word. */
const rowsBetweenCarries = 1_000_000;

/**
 * Counts the lines of COPY text and computes a digest of them that does not depend on their order, or on how the text was
 * cut into pieces: the sum of the lines' SHA-256, modulo 2^256. A line that comes twice counts twice. In COPY text
 * a newline always ends a row: those within values are escaped.
 */
export class RowDigest {
  rows = 0;
  readonly #sums = new Float64Array(words);
  /** Of a line whose end is in a later piece. */
  #open: Hash | undefined;

  update(piece: Buffer): void {
    let start = 0;
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, start)) {
      const line = piece.subarray(start, end + 1);
      this.#add(this.#open === undefined ? hash('sha256', line, 'buffer') : this.#open.update(line).digest());
      this.#open = undefined;
      start = end + 1;
    }
    if (start === piece.length) return;
    this.#open ??= createHash('sha256');
    this.#open.update(piece.subarray(start));
  }

  /** Whether the text so far ends with a whole line. */
  get complete(): boolean {
    return this.#open === undefined;
  }

  /** Of the whole lines so far: 64 hex digits. */
  get digest(): string {
    this.#carry();
    return [...this.#sums].map((word) => word.toString(16).padStart(8, '0')).join('');
  }

  #add(digest: Buffer): void {
    for (let word = 0; word < words; word++) {
      this.#sums[word] = (this.#sums[word] ?? 0) + digest.readUInt32BE(word * 4);
    }
    this.rows++;
    if (this.rows % rowsBetweenCarries === 0) this.#carry();
  }

  /** Moves what exceeds 32 bits into the next higher word; out of the highest it is dropped. */
  #carry(): void {
    let carry = 0;
    for (let word = words - 1; word >= 0; word--) {
      const sum = (this.#sums[word] ?? 0) + carry;
      this.#sums[word] = sum % 2 ** 32;
      carry = Math.floor(sum / 2 ** 32);
    }
  }
}

const modulus = 2n ** 256n;

/** The digest of all rows together, from the digests of disjoint parts of them. */
export function combineDigests(digests: Iterable<string>): string {
  let sum = 0n;
  for (const digest of digests) sum = (sum + BigInt(`0x${digest}`)) % modulus;
  return sum.toString(16).padStart(64, '0');
}
