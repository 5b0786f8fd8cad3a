import { NamedError } from './named-error.ts';

/** Nothing was sent: what is called has failed again and again, and is left alone for a while. */
export class BreakerOpenError extends NamedError {
  readonly retryAfterMs: number;

  constructor(name: string, retryAfterMs: number) {
    super(`${name} has failed repeatedly; it is tried again in ${Math.ceil(retryAfterMs / 1000)} s.`);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface BreakerSettings {
  /** Failures in a row that open it. Default 5. */
  readonly failures: number;
  /** How long it stays open before one call is let through, in milliseconds. Default 60 000. */
  readonly openMs: number;
}

/** What a breaker knows: plain data, so that it can be stored and shared. Times are milliseconds since the epoch. */
export interface BreakerState {
  readonly failures: number;
  /** When it opened, or when the trial of a half-open one began. */
  readonly openedAt?: number | undefined;
  /** Whether the one call of the half-open state is under way. */
  readonly trial?: boolean | undefined;
}

export type BreakerPhase = 'closed' | 'open' | 'half-open';

export const defaultBreaker: BreakerSettings = { failures: 5, openMs: 60_000 };
export const closedBreaker: BreakerState = { failures: 0 };

/** How a breaker stands now. */
export function phaseOf(state: BreakerState, settings: BreakerSettings, now: number): BreakerPhase {
  if (state.openedAt === undefined) return 'closed';
  return now - state.openedAt < settings.openMs ? 'open' : 'half-open';
}

/** @returns the state in which the call is under way; nothing where it must not be made. */
export function admit(state: BreakerState, settings: BreakerSettings, now: number): BreakerState | undefined {
  switch (phaseOf(state, settings, now)) {
    case 'closed':
      return state;
    case 'open':
      return undefined;
    // The trial has as long as the breaker was open: one that is never reported holds nobody up for ever.
    case 'half-open':
      return { ...state, openedAt: now, trial: true };
  }
}

/** The state after a call that failed. */
export function afterFailure(state: BreakerState, settings: BreakerSettings, now: number): BreakerState {
  const failures = state.failures + 1;
  return failures >= settings.failures || state.openedAt !== undefined
    ? { failures, openedAt: now }
    : { failures };
}

/** Keeps callers from what fails all the time: closed, open, half-open. For one execution environment. */
export class CircuitBreaker {
  readonly #name: string;
  readonly #settings: BreakerSettings;
  readonly #now: () => number;
  #state = closedBreaker;

  /** @param name what is called, as errors name it. */
  constructor(name: string, now: () => number = Date.now, settings: BreakerSettings = defaultBreaker) {
    this.#name = name;
    this.#settings = settings;
    this.#now = now;
  }

  get phase(): BreakerPhase {
    return phaseOf(this.#state, this.#settings, this.#now());
  }

  /**
   * @param isFailure whether an error says that what is called is not well; others say that it answers.
   * @throws BreakerOpenError, and whatever `call` throws.
   */
  async run<T>(call: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T> {
    const admitted = admit(this.#state, this.#settings, this.#now());
    if (admitted === undefined) {
      const since = this.#now() - (this.#state.openedAt ?? 0);
      throw new BreakerOpenError(this.#name, Math.max(1, this.#settings.openMs - since));
    }
    this.#state = admitted;
    try {
      const result = await call();
      this.#state = closedBreaker;
      return result;
    } catch (error) {
      this.#state = isFailure(error) ? afterFailure(this.#state, this.#settings, this.#now()) : closedBreaker;
      throw error;
    }
  }
}
