import { AwsError } from './operation.ts';

const maximumLine = 16 * 1024;

/** What {@link AwsChunkedDecoder.write} and {@link AwsChunkedDecoder.end} say about broken framing. */
function broken(reason: string): AwsError {
  return new AwsError('IncompleteBody', `The aws-chunked body is broken: ${reason}`, 400);
}

/**
 * Takes the framing off an `aws-chunked` body (`<size in hex>[;extension]\r\n<data>\r\n…0\r\n<trailers>\r\n\r\n`)
 * piece by piece: it holds a line at most, never a chunk.
 */
export class AwsChunkedDecoder {
  /** Trailing headers in lower case; complete after {@link end}. */
  readonly trailers: Record<string, string> = {};
  #state: 'size' | 'data' | 'data end' | 'trailer' | 'done' = 'size';
  #remaining = 0;
  #line = '';

  /** Decodes one piece of the wire; the returned pieces share its memory. Throws `IncompleteBody`. */
  write(piece: Buffer): Buffer[] {
    const decoded: Buffer[] = [];
    let offset = 0;
    while (offset < piece.length) {
      if (this.#state === 'data') {
        const data = piece.subarray(offset, offset + this.#remaining);
        decoded.push(data);
        offset += data.length;
        this.#remaining -= data.length;
        if (this.#remaining === 0) this.#state = 'data end';
        continue;
      }
      const newline = piece.indexOf(10, offset);
      const end = newline < 0 ? piece.length : newline;
      this.#line += piece.toString('latin1', offset, end);
      if (this.#line.length > maximumLine) throw broken('a line is too long');
      offset = end + 1;
      if (newline >= 0) {
        const line = this.#line.replace(/\r$/, '');
        this.#line = '';
        this.#readLine(line);
      }
    }
    return decoded;
  }

  /** Throws `IncompleteBody` when the final chunk has not come. */
  end(): void {
    // Some clients leave out the empty line after the last trailer.
    if (this.#state === 'trailer' && this.#line !== '') this.#readLine(this.#line);
    if (this.#state !== 'done' && this.#state !== 'trailer') throw broken('it ends before the final chunk');
  }

  #readLine(line: string): void {
    switch (this.#state) {
      case 'size': {
        const size = line.split(';', 1)[0] ?? '';
        if (!/^[0-9a-fA-F]{1,12}$/.test(size)) throw broken('a chunk size is not a hexadecimal number');
        this.#remaining = Number.parseInt(size, 16);
        this.#state = this.#remaining === 0 ? 'trailer' : 'data';
        return;
      }
      case 'data end':
        if (line !== '') throw broken('a chunk is longer than its size');
        this.#state = 'size';
        return;
      case 'trailer':
        if (line === '') this.#state = 'done';
        else this.#readTrailer(line);
        return;
      default:
        throw broken('there is data after its end');
    }
  }

  #readTrailer(line: string): void {
    const colon = line.indexOf(':');
    if (colon < 1) throw broken('a trailer has no name');
    this.trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
}
