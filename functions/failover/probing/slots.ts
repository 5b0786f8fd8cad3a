const minuteMs = 60_000;

/** When shards are probed in one minute of the clock, in milliseconds since the epoch. */
export interface Slots {
  /** Those that are to come; the first may be now. */
  due: number[];
  /** How many had passed when the invocation began. */
  missed: number;
}

/**
 * The slots of the minute of the clock that `now` is in. They lie on the clock and not at the invocation, which comes
 * at any moment of its minute: so each slot is taken once, and nothing drifts. The slot that has begun is taken at once.
 *
 * @param intervalSeconds divides a minute.
 */
export function slotsOf(now: number, intervalSeconds: number): Slots {
  const intervalMs = intervalSeconds * 1000;
  const minute = Math.floor(now / minuteMs) * minuteMs;
  const begun = Math.floor((now - minute) / intervalMs);
  const count = minuteMs / intervalMs;
  const due = Array.from({ length: count - begun }, (_, index) => minute + (begun + index) * intervalMs);
  return { due, missed: begun };
}

export interface Clock {
  now(): number;
  /** Resolves at that time or, where it has passed, at once. */
  until(time: number): Promise<void>;
}

/**
 * Runs `round` at each slot. A round that takes long does not move the next: they do not wait for each other, and all have
 * ended when this does.
 *
 * @throws what the first round that failed threw, after the others have ended.
 */
export async function runSlots(
  { due }: Slots,
  clock: Clock,
  round: (slot: number) => Promise<void>,
): Promise<void> {
  const rounds: Promise<void>[] = [];
  for (const slot of due) {
    await clock.until(slot);
    const running = round(slot);
    // Failures are looked at below; one that nobody looks at yet would end the process.
    running.catch(() => {});
    rounds.push(running);
  }
  await Promise.allSettled(rounds);
  await Promise.all(rounds);
}
