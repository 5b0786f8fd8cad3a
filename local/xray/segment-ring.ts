import type { Segment } from './segment.ts';

/** The segments that came last, bounded in number and in bytes: old ones make room for new ones. */
export class SegmentRing {
  readonly #maxSegments: number;
  readonly #maxBytes: number;
  readonly #segments: { segment: Segment; bytes: number }[] = [];
  #bytes = 0;

  constructor(maxSegments: number, maxBytes: number) {
    this.#maxSegments = maxSegments;
    this.#maxBytes = maxBytes;
  }

  add(segment: Segment, bytes: number): void {
    this.#segments.push({ segment, bytes });
    this.#bytes += bytes;
    while (this.#segments.length > this.#maxSegments || this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#segments.shift()?.bytes ?? 0;
    }
  }

  /** The segments of a trace, in the order in which they came. */
  ofTrace(traceId: string): Segment[] {
    return this.#segments.flatMap(({ segment }) => (segment.trace_id === traceId ? segment : []));
  }

  get size(): number {
    return this.#segments.length;
  }
}
