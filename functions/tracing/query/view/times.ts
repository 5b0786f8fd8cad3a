/** A time in nanoseconds since the epoch, as RFC 3339 has it, in UTC and to the nanosecond. */
export function rfc3339OfNano(nano: bigint): string {
  const ms = Number(nano / 1_000_000n);
  const text = new Date(Math.min(ms, 8.64e15)).toISOString();
  return `${text.slice(0, -1)}${String(nano % 1_000_000n).padStart(6, '0')}Z`;
}

/** A time in milliseconds with decimals since the epoch, likewise. */
export function rfc3339OfMs(ms: number): string {
  const whole = Math.floor(ms);
  return rfc3339OfNano(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)));
}
