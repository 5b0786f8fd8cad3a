import { cloudFrontFields, columns, place } from './columns.ts';
import type { LogLine } from './log-line.ts';

const tab = 0x09;
const newline = 0x0a;
const hyphen = 0x2d;
const carriageReturn = 0x0d;

/**
 * Finds the columns of lines in the W3C extended log file format, by the names in its `#Fields` line: columns may be added,
 * left out and put into another order. Values are separated by tabs; a hyphen stands for none.
 */
export class W3cLines {
  /** For each column of the file the place of its value, or -1. */
  #places = new Int32Array(0);
  #latencyMs = 1;

  /** Whether the names of the columns are known, and among them what a line cannot do without. */
  get ready(): boolean {
    return this.#places.length > 0;
  }

  /** Takes a line that begins with `#`. */
  header(text: string): void {
    if (!text.startsWith('#Fields:')) return;
    const names = text.slice('#Fields:'.length).trim().split(/\s+/);
    const places = new Int32Array(names.length).fill(-1);
    for (const column of columns) {
      const field = cloudFrontFields.find((each) => each.column === column && names.includes(each.name));
      if (field === undefined) continue;
      places[names.indexOf(field.name)] = place[column];
      if (column === 'latency') this.#latencyMs = field.ms ?? 1;
    }
    this.#places = places;
  }

  /**
   * Finds the values of the line that begins at `from`.
   *
   * @param end where the buffer has no more of it.
   * @returns where the next line begins.
   */
  read(line: LogLine, from: number, end: number): number {
    const { buffer, view, ends } = line;
    const places = this.#places;
    ends.fill(0);
    line.latencyMs = this.#latencyMs;
    let column = 0;
    let start = from;
    let at = from;
    const lastWord = end - 4;
    for (; at < end; at += 1) {
      // Four bytes at once, as long as none of them is below 11 (“Bit Twiddling Hacks”, haszero). The first that is one is found exactly.
      while (at <= lastWord) {
        const word = view.getInt32(at, true);
        const small = ((word - 0x0b0b0b0b) | 0) & ~word & 0x80808080;
        if (small !== 0) {
          at += (31 - Math.clz32(small & -small)) >> 3;
          break;
        }
        at += 4;
      }
      if (at >= end) break;
      const byte = buffer[at] ?? 0;
      if (byte > newline || byte < tab) continue;
      if (column < places.length) setValue(line, places[column] ?? -1, start, at);
      start = at + 1;
      column += 1;
      if (byte === newline) return start;
    }
    if (column < places.length) setValue(line, places[column] ?? -1, start, at);
    return end;
  }
}

function setValue({ buffer, starts, ends }: LogLine, index: number, start: number, end: number): void {
  if (index < 0) return;
  const last = end > start && buffer[end - 1] === carriageReturn ? end - 1 : end;
  if (last === start || (last === start + 1 && buffer[start] === hyphen)) return;
  starts[index] = start;
  ends[index] = last;
}
