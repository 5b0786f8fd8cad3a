/**
 * Text that compresses about as well as what people write: words by Zipf's law, stock phrases in between. The
 * same seed gives the same text.
 */
export class TextSource {
  #state: number;
  readonly #words: string[];
  readonly #phrases: string[];

  /** @param seed any whole number but 0. */
  constructor(seed: number) {
    this.#state = seed;
    this.#words = zipfTable(Array.from({ length: vocabulary }, () => this.#newWord()));
    this.#phrases = Array.from({ length: 600 }, () => this.words(4 + this.below(9)));
  }

  /** A whole number from 0, below `limit` (at most 2^32). */
  below(limit: number): number {
    // xorshift32
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }

  words(count: number): string {
    const words: string[] = [];
    for (let index = 0; index < count; index++) words.push(this.#words[this.below(this.#words.length)] ?? '');
    return words.join(' ');
  }

  /** Sentences of at least `length` characters in all, of which about a third are phrases that come again. */
  prose(length: number): string {
    let text = '';
    while (text.length < length) {
      const stock = this.#phrases[this.below(3 * this.#phrases.length)];
      text += `${stock ?? this.words(6 + this.below(10))}. `;
    }
    return text;
  }

  /** A version 4 UUID. */
  uuid(): string {
    const hex = [0, 1, 2, 3]
      .map(() =>
        this.below(2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      )
      .join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** A moment of the years 2020 to 2025, with microseconds. */
  moment(): string {
    const moment = new Date(1_577_836_800_000 + this.below(189_302_400) * 1000 + this.below(1000));
    return `${moment.toISOString().slice(0, -1)}${String(this.below(1000)).padStart(3, '0')}Z`;
  }

  #newWord(): string {
    const syllables = 1 + this.below(4);
    let word = '';
    for (let index = 0; index < syllables; index++) word += `${this.pick(onsets)}${this.pick(rimes)}`;
    return word;
  }
}

const vocabulary = 6000;
const tableSize = 2 ** 16;
const onsets = [
  'b',
  'ch',
  'd',
  'f',
  'g',
  'k',
  'l',
  'm',
  'n',
  'p',
  'r',
  's',
  'st',
  't',
  'tr',
  'v',
  '',
] as const;
const rimes = ['a', 'e', 'i', 'o', 'u', 'an', 'en', 'er', 'in', 'on', 'ou', 'al', 'ing', 'est'] as const;

/** The word of rank r takes a share of the table in proportion to 1/r, but at least one place. */
function zipfTable(words: readonly string[]): string[] {
  const harmonic = words.reduce((sum, _, index) => sum + 1 / (index + 1), 0);
  return words.flatMap((word, index) =>
    Array<string>(Math.max(1, Math.round(tableSize / harmonic / (index + 1)))).fill(word),
  );
}
