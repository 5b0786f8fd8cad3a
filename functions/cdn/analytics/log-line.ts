import { columns } from './columns.ts';

/** The values of one line: where in a buffer each column begins and ends. A column that is absent ends at 0. */
export interface LogLine {
  buffer: Buffer;
  /** The same bytes. */
  view: DataView;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Milliseconds in the unit of the column `latency`. */
  latencyMs: number;
}

/** Another look at the bytes of a buffer. */
export const viewOf = (buffer: Buffer): DataView =>
  new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

export function emptyLine(): LogLine {
  return {
    buffer: Buffer.alloc(0),
    view: new DataView(new ArrayBuffer(0)),
    starts: new Int32Array(columns.length),
    ends: new Int32Array(columns.length),
    latencyMs: 1,
  };
}
