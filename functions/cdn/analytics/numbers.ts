/** A number of 0 or more, written with digits and at most one point; 0 where there is nothing, NaN for anything else. */
export function numberIn(buffer: Buffer, start: number, end: number): number {
  let value = 0;
  let scale = 0;
  for (let at = start; at < end; at += 1) {
    const byte = buffer[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x39) {
      value = value * 10 + (byte - 0x30);
      scale *= 10;
    } else if (byte === 0x2e && scale === 0) scale = 1;
    else return Number.NaN;
  }
  return scale > 1 ? value / scale : value;
}
