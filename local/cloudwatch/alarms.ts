import { join } from 'node:path';
import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';
import { StateFile } from '../aws/state-file.ts';
import { type Deliver, type DeliveryOrigin, deliverWithRetries } from '../events/delivery.ts';
import type { ServiceEvent } from '../events/event.ts';
import type { Clock } from '../scheduler/clock.ts';
import { type Alarm, type AlarmProperties, type AlarmState, readAlarm } from './alarm-definition.ts';
import { decideState, evaluationRange } from './alarm-evaluation.ts';
import {
  type AlarmOrigin,
  type AnyAlarm,
  compositeReason,
  compositeReasonData,
  functionEvent,
  isBreaching,
  reasonDataOf,
  reasonOf,
  type StateChange,
  stateChangeEvent,
  topicMessage,
  topicSubject,
} from './alarm-messages.ts';
import { type CompositeAlarm, compositeState, readComposite } from './composite-alarm.ts';
import { one } from './metric-math.ts';
import { queryValue } from './metric-query.ts';
import { stepFor } from './metric-series.ts';
import type { Metrics } from './metrics.ts';

export interface AlarmsOptions {
  directory: string;
  region: string;
  accountId: string;
  clock: Clock;
  metrics: Metrics;
  deliver: Deliver;
  /** Puts an event on the default bus. */
  putEvent(event: ServiceEvent): unknown;
  report?(line: string): void;
  /** How often alarms are evaluated; default 10 s. */
  evaluateEverySeconds?: number;
  random?(): number;
}

const stateChangeSchema = z.object({
  value: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
  reason: z.string(),
  reasonData: z.string().optional(),
  timestamp: z.number(),
});
const memorySchema = z.object({
  current: stateChangeSchema,
  /** JSON of the template, and when it last changed. */
  template: z.string(),
  configuredAt: z.number(),
  /** Set by hand; undefined means as the template says. */
  actionsEnabled: z.boolean().optional(),
  /** Newest first. */
  history: z.array(z.object({ before: stateChangeSchema, after: stateChangeSchema })),
});
export type AlarmMemory = z.infer<typeof memorySchema>;

/** Changes remembered per alarm. */
const keptHistory = 50;

/** Alarms: evaluated on a timer, with actions when they change their state; the state survives restarts. */
export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #alarms = new Map<string, AnyAlarm>();
  readonly #file: StateFile<Record<string, AlarmMemory>>;
  #stop = new AbortController();
  #cancelTimer: () => void = () => undefined;

  constructor(options: AlarmsOptions) {
    this.#options = options;
    this.#file = new StateFile(
      join(options.directory, 'alarms.json'),
      z.record(z.string(), memorySchema),
      {},
    );
  }

  start(): void {
    this.#stop = new AbortController();
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#cancelTimer();
    this.#stop.abort(new Error('The runtime stops.'));
    await this.#file.save();
  }

  /**
   * Creates or updates an alarm; a new one begins with INSUFFICIENT_DATA.
   *
   * @throws Error naming what about it is wrong or not supported.
   */
  ensureAlarm(template: AlarmProperties): { arn: string } {
    return this.#ensure(readAlarm(template, (name) => this.arnOf(name)));
  }

  /**
   * Creates or updates an alarm on the states of others.
   *
   * @throws Error naming what about it is wrong or not supported.
   */
  ensureComposite(template: AlarmProperties): { arn: string } {
    return this.#ensure(readComposite(template, (name) => this.arnOf(name)));
  }

  #ensure(alarm: AnyAlarm): { arn: string } {
    this.#alarms.set(alarm.name, alarm);
    const text = JSON.stringify(alarm.template);
    const now = this.#options.clock.now();
    const memory = this.#file.state[alarm.name];
    if (memory === undefined) {
      const reason = 'Unchecked: Initial alarm creation';
      const current: StateChange = { value: 'INSUFFICIENT_DATA', reason, timestamp: now };
      this.#file.state[alarm.name] = { current, template: text, configuredAt: now, history: [] };
    } else if (memory.template !== text) {
      memory.template = text;
      memory.configuredAt = now;
      delete memory.actionsEnabled;
    }
    return { arn: alarm.arn };
  }

  arnOf(name: string): string {
    return `arn:aws:cloudwatch:${this.#options.region}:${this.#options.accountId}:alarm:${name}`;
  }

  /** Alarms by name, with what is remembered of them. */
  list(): { alarm: AnyAlarm; memory: AlarmMemory; actionsEnabled: boolean }[] {
    return [...this.#alarms.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((alarm) => {
        const memory = this.#memory(alarm.name);
        return { alarm, memory, actionsEnabled: memory.actionsEnabled ?? alarm.template.ActionsEnabled };
      });
  }

  /** Evaluates all alarms now. One that cannot be evaluated is reported and leaves the others alone. */
  evaluate(): void {
    const alarms = [...this.#alarms.values()];
    for (const alarm of alarms) {
      if (alarm.kind === 'composite') continue;
      try {
        this.#evaluate(alarm);
      } catch (error) {
        this.#options.report?.(`${alarm.arn} could not be evaluated: ${error}`);
      }
    }
    for (const alarm of alarms) if (alarm.kind === 'composite') this.#evaluateComposite(alarm);
  }

  /** One that depends on another composite alarm may follow it by an evaluation. */
  #evaluateComposite(alarm: CompositeAlarm): void {
    const value = compositeState(
      alarm,
      (name) => this.#file.state[name]?.current.value ?? 'INSUFFICIENT_DATA',
    );
    if (value === this.#memory(alarm.name).current.value) return;
    const [latest] = alarm.children
      .flatMap((name) => this.#alarms.get(name) ?? [])
      .sort((a, b) => this.#memory(b.name).current.timestamp - this.#memory(a.name).current.timestamp);
    const change = latest && { child: latest, state: this.#memory(latest.name).current };
    this.#change(alarm, {
      value,
      reason:
        change === undefined ? `${alarm.arn} was evaluated` : compositeReason(change.child, change.state),
      ...(change !== undefined && { reasonData: compositeReasonData(change.child, change.state) }),
      timestamp: this.#options.clock.now(),
    });
  }

  /** Sets a state by hand, until the next evaluation. @throws AwsError ResourceNotFound */
  setState(name: string, value: AlarmState, reason: string, reasonData?: string): void {
    const alarm = this.#alarm(name);
    this.#change(alarm, { value, reason, reasonData, timestamp: this.#options.clock.now() });
  }

  /** Switches the actions of alarms on or off; that outlasts a restart. @throws AwsError ResourceNotFound */
  async switchActions(names: readonly string[], enabled: boolean): Promise<void> {
    for (const name of names) {
      this.#alarm(name);
      this.#memory(name).actionsEnabled = enabled;
    }
    await this.#file.save();
  }

  #evaluate(alarm: Alarm): void {
    const { clock, metrics } = this.#options;
    const { periodSeconds, evaluationPeriods, datapointsToAlarm, template } = alarm;
    const count = evaluationRange(evaluationPeriods);
    const nowSeconds = clock.now() / 1000;
    // Windows move on with the clock, in steps of the data that is kept for so long.
    const finest = stepFor(periodSeconds, nowSeconds - periodSeconds * count, nowSeconds);
    const end = Math.floor(nowSeconds / finest) * finest;
    const start = end - periodSeconds * count;
    const window = { start, periodSeconds, count };
    const values = one(queryValue(metrics, alarm.queries, alarm.watched, window), { length: count });
    const points = values.map((value) => (value === undefined ? undefined : isBreaching(alarm, value)));
    const state = decideState(points, evaluationPeriods, datapointsToAlarm, template.TreatMissingData);
    if (state === undefined || state === this.#memory(alarm.name).current.value) return;
    this.#change(alarm, {
      value: state,
      reason: reasonOf(alarm, state, values, start),
      reasonData: reasonDataOf(alarm, values, start, clock.now()),
      timestamp: clock.now(),
    });
  }

  #change(alarm: AnyAlarm, after: StateChange): void {
    const memory = this.#memory(alarm.name);
    const before = memory.current;
    memory.current = after;
    if (before.value === after.value) return void this.#save();
    memory.history = [{ before, after }, ...memory.history].slice(0, keptHistory);
    this.#save();
    this.#options.putEvent(stateChangeEvent(alarm, after, before));
    const enabled = memory.actionsEnabled ?? alarm.template.ActionsEnabled;
    const actions = {
      OK: alarm.template.OKActions,
      ALARM: alarm.template.AlarmActions,
      INSUFFICIENT_DATA: alarm.template.InsufficientDataActions,
    }[after.value];
    for (const action of enabled ? actions : []) {
      void this.#act(alarm, action, after, before).catch((error) => {
        if (!this.#stop.signal.aborted) this.#options.report?.(`${alarm.arn}, action ${action}: ${error}`);
      });
    }
  }

  async #act(alarm: AnyAlarm, action: string, after: StateChange, before: StateChange): Promise<void> {
    const { clock, deliver, region, accountId, random = Math.random } = this.#options;
    const origin: AlarmOrigin = { accountId, region, configuredAt: this.#memory(alarm.name).configuredAt };
    const isFunction = action.split(':')[2] === 'lambda';
    const payload = (isFunction ? functionEvent : topicMessage)(alarm, after, before, origin);
    const from: DeliveryOrigin = isFunction
      ? { service: 'lambda.alarms.cloudwatch.amazonaws.com', sourceArn: alarm.arn }
      : {
          service: 'cloudwatch.amazonaws.com',
          sourceArn: alarm.arn,
          subject: topicSubject(alarm, after.value, region),
        };
    await deliverWithRetries(
      {
        clock,
        deliver,
        random,
        report: (line) => this.#options.report?.(line),
        signal: this.#stop.signal,
      },
      action,
      payload,
      from,
      { maximumRetryAttempts: 3, maximumEventAgeSeconds: 3600 },
    );
  }

  #schedule(): void {
    const { clock, evaluateEverySeconds = 10 } = this.#options;
    this.#cancelTimer = clock.at(clock.now() + evaluateEverySeconds * 1000, () => {
      this.#schedule();
      this.evaluate();
    });
  }

  #save(): void {
    void this.#file
      .save()
      .catch((error) => this.#options.report?.(`Alarm states could not be saved: ${error}`));
  }

  #alarm(name: string): AnyAlarm {
    const alarm = this.#alarms.get(name);
    if (alarm === undefined) throw new AwsError('ResourceNotFound', `Alarm ${name} does not exist.`, 404);
    return alarm;
  }

  #memory(name: string): AlarmMemory {
    const memory = this.#file.state[name];
    if (memory === undefined) throw new AwsError('ResourceNotFound', `Alarm ${name} does not exist.`, 404);
    return memory;
  }
}
