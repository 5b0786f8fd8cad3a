import { DependencyError } from '../../shared/dependency.ts';
import { Problem } from '../../shared/problem.ts';
import { type HealthReport, type ShardHealth, worst } from './model.ts';

/** How long an answer is given again instead of looking anew, in milliseconds. */
const freshMs = 5_000;

export interface ReportParts {
  /** Has all shards looked at now, in bounded time. @throws DependencyError */
  readonly look: () => Promise<readonly ShardHealth[]>;
  /** What the schedule recorded last. */
  readonly recorded: () => Promise<readonly ShardHealth[]>;
  readonly now: () => number;
}

/** How the shards stand: as they are now, or where that cannot be found out, as they were last recorded. */
export class HealthReports {
  readonly #parts: ReportParts;
  #latest: { answer: Promise<readonly ShardHealth[]>; until: number } | undefined;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /**
   * @param shard the one that is meant; default: all.
   * @throws Problem where there is no such shard, or nothing is known.
   */
  async report(
    { shard }: { shard?: string | undefined },
    log: { warn(message: string, about: Record<string, unknown>): void },
  ): Promise<HealthReport> {
    const { shards, source } = await this.#find(log);
    const meant = shards.filter((each) => shard === undefined || each.shard === shard);
    if (meant.length === 0 && shard !== undefined) {
      throw new Problem('not-found', 'There is no shard of that name.');
    }
    return { state: worst(meant.map(({ state }) => state)), source, shards: [...meant] };
  }

  async #find(log: {
    warn(message: string, about: Record<string, unknown>): void;
  }): Promise<{ shards: readonly ShardHealth[]; source: HealthReport['source'] }> {
    try {
      return { shards: await this.#look(), source: 'live' };
    } catch (error) {
      if (!(error instanceof DependencyError)) throw error;
      log.warn('The shards could not be looked at; what was recorded is answered', { error });
      const shards = await this.#parts.recorded();
      if (shards.length > 0) return { shards, source: 'recorded' };
      throw new Problem(
        'not-available',
        'The shards cannot be looked at now, and nothing was recorded yet.',
        {
          headers: { 'retry-after': '5' },
          cause: error,
        },
      );
    }
  }

  /** Requests at the same time, and shortly after one another, share one look. */
  #look(): Promise<readonly ShardHealth[]> {
    const { now, look } = this.#parts;
    if (this.#latest === undefined || this.#latest.until <= now()) {
      const answer = look();
      this.#latest = { answer, until: now() + freshMs };
      // A failure is not given again.
      answer.catch(() => {
        if (this.#latest?.answer === answer) this.#latest = undefined;
      });
    }
    return this.#latest.answer;
  }
}
