import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Deliver } from '../events/delivery.ts';
import type { Service } from '../service.ts';
import { fileStream } from './log-events.ts';
import { logFilter } from './log-filter.ts';

export interface LogSubscriptionsOptions {
  region: string;
  accountId: string;
  deliver: Deliver;
  report?(line: string): void;
  /** How long lines wait for others of their group, in ms; default 1 000. */
  gatherMs?: number;
}

export interface LogSubscription {
  /** The group whose lines are sent. */
  groupName: string;
  name: string;
  /** Which lines: a pattern of terms. */
  pattern: string;
  destinationArn: string;
}

interface Sent {
  id: string;
  timestamp: number;
  message: string;
}

/** Events that one delivery has at most; the rest follows. */
const mostEvents = 1_000;
/** Events of one group that wait at most; the oldest go first when nobody takes them. */
const mostWaiting = 20_000;
/** One group after the other: a function that is sent all of them needs one environment. */
const pauseMs = 40;

/** CloudWatch Logs' subscription filters: lines of a group that match go to a function, packed as CloudWatch packs them. */
export class LogSubscriptions implements Service {
  readonly name = 'log subscriptions';
  readonly #options: LogSubscriptionsOptions;
  /** By group. */
  readonly #subscriptions = new Map<string, (LogSubscription & { matches(message: string): boolean })[]>();
  readonly #waiting = new Map<LogSubscription, { since: number; events: Sent[] }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LogSubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Creates or changes a subscription.
   *
   * @throws AwsError for patterns that are not emulated, and where a group has two already.
   */
  ensure(subscription: LogSubscription): void {
    const others = (this.#subscriptions.get(subscription.groupName) ?? []).filter(
      ({ name }) => name !== subscription.name,
    );
    if (others.length >= 2) throw new Error(`${subscription.groupName} has two subscriptions already.`);
    const matches = logFilter(subscription.pattern);
    this.#subscriptions.set(subscription.groupName, [...others, { ...subscription, matches }]);
  }

  /** Takes a line of a group. @param time in ms since the epoch */
  accept(groupName: string, message: string, time: number): void {
    for (const subscription of this.#subscriptions.get(groupName) ?? []) {
      if (!subscription.matches(message)) continue;
      const waiting = this.#waiting.get(subscription) ?? { since: Date.now(), events: [] };
      waiting.events.push({ id: randomUUID().replaceAll('-', ''), timestamp: time, message });
      if (waiting.events.length > mostWaiting) waiting.events.shift();
      this.#waiting.set(subscription, waiting);
    }
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#deliverNext(), pauseMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  #deliverNext(): void {
    const { gatherMs = 1_000 } = this.#options;
    for (const [subscription, waiting] of this.#waiting) {
      if (Date.now() - waiting.since < gatherMs) continue;
      const events = waiting.events.splice(0, mostEvents);
      // To the end, so that no group keeps others waiting.
      this.#waiting.delete(subscription);
      if (waiting.events.length > 0) this.#waiting.set(subscription, waiting);
      void this.#deliver(subscription, events);
      return;
    }
  }

  async #deliver({ groupName, name, destinationArn }: LogSubscription, logEvents: Sent[]): Promise<void> {
    const { accountId, region, deliver, report } = this.#options;
    const message = {
      messageType: 'DATA_MESSAGE',
      owner: accountId,
      logGroup: groupName,
      logStream: fileStream,
      subscriptionFilters: [name],
      logEvents,
    };
    const data = gzipSync(JSON.stringify(message)).toString('base64');
    const sourceArn = `arn:aws:logs:${region}:${accountId}:log-group:${groupName}:*`;
    try {
      await deliver(destinationArn, { awslogs: { data } }, { service: 'logs.amazonaws.com', sourceArn });
    } catch (error) {
      report?.(`Lines of ${groupName} could not be sent to ${destinationArn}: ${error}`);
    }
  }
}
