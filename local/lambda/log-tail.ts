/** Bytes of a log that an invocation may return. */
const tailLimit = 4096;

/** The last 4 KB of one invocation's log. */
export class LogTail {
  #text = '';

  add(line: string): void {
    // Twice the limit, so that it is not cut at every line.
    this.#text = `${this.#text}${line}\n`;
    if (this.#text.length > 2 * tailLimit) this.#text = this.#text.slice(-tailLimit);
  }

  get text(): string {
    const bytes = Buffer.from(this.#text);
    return bytes.length <= tailLimit ? this.#text : bytes.subarray(-tailLimit).toString('utf8');
  }
}
