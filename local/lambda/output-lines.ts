import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Characters after which a line without an end is passed on in pieces. */
const lineLimit = 1024 * 1024;

/**
 * Splits what a process writes into lines, and tells the requests apart by the marks between them
 * (see `endOfOutput`).
 */
export class OutputLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #mark: string;
  readonly #onLine: (text: string) => void;
  readonly #onEnd: (requestId: string) => void;
  #rest = '';

  constructor(
    stream: Readable,
    secret: string,
    onLine: (text: string) => void,
    onEnd: (requestId: string) => void,
  ) {
    this.#mark = `\u0000${secret} `;
    this.#onLine = onLine;
    this.#onEnd = onEnd;
    stream.on('data', (chunk: Buffer) => this.#take(this.#decoder.write(chunk)));
    stream.on('end', () => this.#flush());
    // A process that is killed can leave its pipe broken; the end of the process is what counts.
    stream.on('error', () => this.#flush());
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    while (this.#rest.length > lineLimit) {
      this.#onLine(this.#rest.slice(0, lineLimit));
      this.#rest = this.#rest.slice(lineLimit);
    }
  }

  #line(line: string): void {
    const at = line.indexOf(this.#mark);
    if (at < 0) {
      this.#onLine(line);
      return;
    }
    if (at > 0) this.#onLine(line.slice(0, at));
    this.#onEnd(line.slice(at + this.#mark.length));
  }

  #flush(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}
