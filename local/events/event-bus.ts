import { join } from 'node:path';
import * as z from 'zod';
import type { JsonApi } from '../aws/api.ts';
import { AwsError } from '../aws/operation.ts';
import { StateFile } from '../aws/state-file.ts';
import type { MetricDatum } from '../cloudwatch/metric.ts';
import { type Clock, systemClock } from '../scheduler/clock.ts';
import { Recurring } from '../scheduler/recurring.ts';
import type { Service } from '../service.ts';
import { type Deliver, type DeliveryEnvironment, deliverWithRetries } from './delivery.ts';
import { type BusEvent, envelope, type ServiceEvent } from './event.ts';
import { eventsApi } from './events-api.ts';
import { type Rule, type RuleDefinition, type RuleTarget, readRule } from './rule.ts';
import { targetInput } from './target-input.ts';

export interface EventBusesOptions {
  /** Where switched rules are remembered. */
  directory: string;
  region: string;
  accountId: string;
  deliver: Deliver;
  recordMetric?(datum: MetricDatum): void;
  /** A line for the person at the keyboard, for example that an event could not be delivered. */
  report?(line: string): void;
  clock?: Clock;
  /** For jitter; default Math.random. */
  random?(): number;
}

/** Rules switched by hand, until their template says something else. */
const switchesSchema = z.record(
  z.string(),
  z.object({ template: z.enum(['ENABLED', 'DISABLED']), state: z.enum(['ENABLED', 'DISABLED']) }),
);

/** EventBridge: event buses, and rules that pass events, or the time, on to targets. */
export class EventBuses implements Service {
  readonly name = 'events';
  readonly api: JsonApi;
  readonly #options: EventBusesOptions;
  readonly #clock: Clock;
  readonly #buses = new Map<string, Map<string, Rule>>([['default', new Map()]]);
  readonly #schedules = new Map<string, Recurring>();
  readonly #switches: StateFile<z.infer<typeof switchesSchema>>;
  #stop = new AbortController();
  #started = false;

  constructor(options: EventBusesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#switches = new StateFile(join(options.directory, 'rules.json'), switchesSchema, {});
    this.api = eventsApi(this);
  }

  async start(): Promise<void> {
    this.#started = true;
    this.#stop = new AbortController();
    for (const rule of this.rules()) this.#arm(rule);
  }

  /** Stops schedules and gives up deliveries that wait for another attempt. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#stop.abort(new Error('The runtime stops.'));
    for (const schedule of this.#schedules.values()) schedule.stop();
    this.#schedules.clear();
  }

  /** Creates a bus, unless it is there. */
  ensureBus(name: string): { arn: string } {
    if (!this.#buses.has(name)) this.#buses.set(name, new Map());
    return { arn: this.busArn(name) };
  }

  /**
   * Creates or replaces a rule.
   *
   * @throws Error naming what about it is wrong or not supported.
   */
  ensureRule(definition: RuleDefinition): { arn: string } {
    const rule = readRule(definition, this.#clock.now());
    const switched = this.#switches.state[rule.arn];
    const state = switched?.template === rule.state ? switched.state : rule.state;
    const current = { ...rule, state };
    this.#bus(rule.busName).set(rule.name, current);
    this.#arm(current);
    return { arn: rule.arn };
  }

  /** The time by this service's clock, in ms since the epoch. */
  now(): number {
    return this.#clock.now();
  }

  busNames(): string[] {
    return [...this.#buses.keys()];
  }

  hasBus(name: string): boolean {
    return this.#buses.has(name);
  }

  busArn(name: string): string {
    return `arn:aws:events:${this.#options.region}:${this.#options.accountId}:event-bus/${name}`;
  }

  /** The rules of a bus, or of all. */
  rules(busName?: string): Rule[] {
    const buses = busName === undefined ? [...this.#buses.values()] : [this.#bus(busName)];
    return buses.flatMap((rules) => [...rules.values()]);
  }

  /** @throws AwsError ResourceNotFoundException */
  rule(name: string, busName: string): Rule {
    const rule = this.#bus(busName).get(name);
    if (rule !== undefined) return rule;
    throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${busName}.`);
  }

  /** Switches a rule on or off; that outlasts a restart. */
  async switchRule(name: string, busName: string, state: Rule['state']): Promise<void> {
    const rule = this.rule(name, busName);
    const template = this.#switches.state[rule.arn]?.template ?? rule.state;
    this.#switches.state[rule.arn] = { template, state };
    rule.state = state;
    this.#arm(rule);
    await this.#switches.save();
  }

  /**
   * Puts an event on a bus; what its rules do with it goes on in the background.
   *
   * @returns the event's id
   * @throws AwsError ResourceNotFoundException
   */
  put(event: ServiceEvent, busName = 'default'): string {
    const { accountId, region } = this.#options;
    const full = envelope(event, accountId, region);
    this.#match(full, busName);
    return full.id;
  }

  #match(event: BusEvent, busName: string): void {
    for (const rule of this.#bus(busName).values()) {
      if (rule.state === 'ENABLED' && rule.matches?.(event) === true) this.#trigger(rule, event);
    }
  }

  #trigger(rule: Rule, event: BusEvent): void {
    this.#count('TriggeredRules', rule);
    for (const target of rule.targets) {
      void this.#deliver(rule, target, event).catch((error) => {
        if (!this.#stop.signal.aborted) this.#report(`${rule.arn}, target ${target.Id}: ${error}`);
      });
    }
  }

  async #deliver(rule: Rule, target: RuleTarget, event: BusEvent): Promise<void> {
    this.#count('Invocations', rule);
    const bus = /^arn:aws:events:[^:]*:\d+:event-bus\/(.+)$/.exec(target.Arn)?.[1];
    if (bus !== undefined) return this.#match(event, bus);
    const delivered = await deliverWithRetries(
      this.#environment(),
      target.Arn,
      targetInput(target, event, rule),
      {
        service: 'events.amazonaws.com',
        sourceArn: rule.arn,
        ...(target.RoleArn === undefined ? {} : { roleArn: target.RoleArn }),
      },
      {
        maximumRetryAttempts: target.RetryPolicy?.MaximumRetryAttempts ?? 185,
        maximumEventAgeSeconds: target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
        deadLetterArn: target.DeadLetterConfig?.Arn,
      },
    );
    if (!delivered) this.#count('FailedInvocations', rule);
  }

  /** Makes a rule's schedule run exactly while the rule is enabled and the service started. */
  #arm(rule: Rule): void {
    this.#schedules.get(rule.arn)?.stop();
    this.#schedules.delete(rule.arn);
    const { timetable } = rule;
    if (!this.#started || timetable === undefined || rule.state !== 'ENABLED') return;
    const run = (time: number) => {
      const { accountId, region } = this.#options;
      const event = {
        source: 'aws.events',
        detailType: 'Scheduled Event',
        resources: [rule.arn],
        detail: {},
        time,
      };
      this.#trigger(rule, envelope(event, accountId, region));
    };
    this.#schedules.set(rule.arn, new Recurring(this.#clock, (after) => timetable.next(after), run));
  }

  #bus(name: string): Map<string, Rule> {
    const bus = this.#buses.get(name);
    if (bus !== undefined) return bus;
    throw new AwsError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
  }

  #environment(): DeliveryEnvironment {
    const { deliver, random = Math.random } = this.#options;
    return {
      clock: this.#clock,
      deliver,
      random,
      report: (line) => this.#report(line),
      signal: this.#stop.signal,
    };
  }

  #report(line: string): void {
    this.#options.report?.(line);
  }

  #count(name: string, rule: Rule): void {
    this.#options.recordMetric?.({
      namespace: 'AWS/Events',
      name,
      dimensions: { RuleName: rule.name },
      values: [1],
      unit: 'Count',
      timestamp: this.#clock.now(),
    });
  }
}
