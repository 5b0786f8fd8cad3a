const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * How far a time zone is ahead of UTC at an instant, in ms.
 *
 * @throws RangeError for a zone that does not exist.
 */
export function zoneOffset(zone: string, instant: number): number {
  const wall = wallClock(zone, instant);
  return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second) - floor(instant);
}

/**
 * The instant at which clocks in a zone show a date and time. Where they show it twice it is the
 * first, where they never do it is as far behind the gap as the time was in it.
 *
 * @param wall the date and time, as if it were UTC, in ms.
 */
export function instantOf(zone: string, wall: number): number {
  const day = 86_400_000;
  const candidates = [zoneOffset(zone, wall - day), zoneOffset(zone, wall + day)].map(
    (offset) => wall - offset,
  );
  const exact = candidates.filter((instant) => instant + zoneOffset(zone, instant) === wall);
  return exact.length > 0 ? Math.min(...exact) : Math.max(...candidates);
}

/** What clocks in a zone show at an instant. */
export function wallClock(zone: string, instant: number) {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  };
}

function floor(instant: number): number {
  return Math.floor(instant / 1000) * 1000;
}
