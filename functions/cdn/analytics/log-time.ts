const zero = 0x30;
const digit = (buffer: Buffer, at: number) => (buffer[at] ?? 0) - zero;
const two = (buffer: Buffer, at: number) => digit(buffer, at) * 10 + digit(buffer, at + 1);

/** Reads the dates and times of log lines as Unix seconds; most lines have the date of the line before. */
export class LogClock {
  readonly #date = Buffer.alloc(10);
  #dayStart = Number.NaN;

  /** A date (`2026-11-22`) and a time (`02:18:45`), in UTC; NaN for anything else. */
  seconds(buffer: Buffer, date: number, dateEnd: number, time: number, timeEnd: number): number {
    if (dateEnd - date !== 10 || timeEnd - time < 8) return Number.NaN;
    if (!this.#isSame(buffer, date)) {
      buffer.copy(this.#date, 0, date, dateEnd);
      this.#dayStart = Date.parse(`${this.#date.toString('latin1')}T00:00:00Z`) / 1000;
    }
    const [hours, minutes, seconds] = [two(buffer, time), two(buffer, time + 3), two(buffer, time + 6)];
    if (!(hours < 24 && minutes < 60 && seconds < 61 && hours >= 0 && minutes >= 0 && seconds >= 0)) {
      return Number.NaN;
    }
    return this.#dayStart + hours * 3600 + minutes * 60 + seconds;
  }

  #isSame(buffer: Buffer, date: number): boolean {
    for (let at = 0; at < 10; at += 1) if (this.#date[at] !== buffer[date + at]) return false;
    return true;
  }
}

/** Numbers above these are of the next smaller unit: seconds, milliseconds, microseconds, nanoseconds. */
const units = [
  { most: 1e11, perSecond: 1 },
  { most: 1e14, perSecond: 1e3 },
  { most: 1e17, perSecond: 1e6 },
  { most: Number.POSITIVE_INFINITY, perSecond: 1e9 },
];

/** A moment as Unix seconds: RFC 3339, or a number of seconds, milli-, micro- or nanoseconds; NaN for anything else. */
export function secondsOf(text: string): number {
  const value = Number(text);
  if (Number.isNaN(value)) return Math.floor(Date.parse(text) / 1000);
  const unit = units.find(({ most }) => value < most);
  return text === '' || unit === undefined ? Number.NaN : Math.floor(value / unit.perSecond);
}
