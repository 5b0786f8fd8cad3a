import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KeptAnswer } from '../../shared/kept-answer.ts';
import { hourMs } from '../tally/hours.ts';
import type { Alert } from './contract.ts';
import { readAlerts } from './read-alerts.ts';

/** As far back as CloudWatch keeps history. */
const mostHours = 336;
const keptMs = 10_000;

interface Question {
  readonly state?: Alert['state'] | undefined;
  readonly hours: number;
}

/** The deployment's alarms, asked for at most every ten seconds. */
export class Alerts {
  readonly #kept: KeptAnswer<{ checkedAt: number; alerts: Alert[] }>;
  readonly #now: () => number;

  /** @param prefix what the names of the alarms begin with. */
  constructor(client: CloudWatchClient, prefix: string, now: () => number) {
    this.#now = now;
    this.#kept = new KeptAnswer(
      async () => {
        const checkedAt = now();
        return {
          checkedAt,
          alerts: await readAlerts(client, { prefix, fromMs: checkedAt - mostHours * hourMs }),
        };
      },
      keptMs,
      now,
    );
  }

  /** How often the kept answer served. */
  get uses(): KeptAnswer<unknown>['uses'] {
    return this.#kept.uses;
  }

  /**
   * Alarms in a state, or all, with their changes of the last hours.
   *
   * @throws DependencyError when CloudWatch does not answer.
   */
  async list({ state, hours }: Question) {
    const { checkedAt, alerts } = await this.#kept.get();
    const count = (of: Alert['state']) => alerts.filter((alert) => alert.state === of).length;
    const from = this.#now() - hours * hourMs;
    return {
      checkedAt: new Date(checkedAt).toISOString(),
      states: { ALARM: count('ALARM'), INSUFFICIENT_DATA: count('INSUFFICIENT_DATA'), OK: count('OK') },
      alerts: alerts
        .filter((alert) => state === undefined || alert.state === state)
        .map((alert) => ({ ...alert, history: alert.history.filter(({ at }) => Date.parse(at) >= from) })),
    };
  }
}
