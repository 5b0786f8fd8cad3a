import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import type { RestApi } from '../aws/api.ts';
import { type Authorization, AwsError, type Principal } from '../aws/operation.ts';
import { StateFile } from '../aws/state-file.ts';
import { type Deliver, deliverWithRetries } from '../events/delivery.ts';
import type { Service } from '../service.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { Recurring } from './recurring.ts';
import { checkSchedule, nextTime, type Schedule, scheduleFields, scheduleSchema } from './schedule.ts';
import { schedulerApi } from './scheduler-api.ts';
import { targetPayload } from './target.ts';

export interface SchedulerOptions {
  /** Where groups and schedules are kept. */
  directory: string;
  region: string;
  accountId: string;
  deliver: Deliver;
  /** @throws AwsError unless IAM allows it: asked whether Scheduler may assume a target's role. */
  authorize(principal: Principal, authorization: Authorization): void;
  /** A line for the person at the keyboard, for example that a target could not be called. */
  report?(line: string): void;
  clock?: Clock;
  /** For flexible windows and jitter; default Math.random. */
  random?(): number;
}

const stateSchema = z.object({
  groups: z.record(z.string(), z.object({ createdAt: z.number() })),
  schedules: z.record(z.string(), scheduleSchema),
});

/** Members of `AWS::Scheduler::Schedule`. */
const templateSchema = z.strictObject(
  scheduleFields(
    z.union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))]),
  ),
);
export type ScheduleTemplate = z.input<typeof templateSchema>;
/** A schedule before it is kept: what a caller or a template says of it. */
export type ScheduleRequest = Omit<Schedule, 'CreationDate' | 'LastModificationDate'>;

/** EventBridge Scheduler. Schedules survive restarts; times that pass meanwhile are not made up for. */
export class Scheduler implements Service {
  readonly name = 'scheduler';
  readonly api: RestApi;
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #file: StateFile<z.infer<typeof stateSchema>>;
  readonly #armed = new Map<string, Recurring>();
  #stop = new AbortController();
  #started = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const initial = { groups: {}, schedules: {} };
    this.#file = new StateFile(join(options.directory, 'schedules.json'), stateSchema, initial);
    this.#file.state.groups.default ??= { createdAt: this.#clock.now() };
    this.api = schedulerApi(this);
  }

  async start(): Promise<void> {
    this.#started = true;
    this.#stop = new AbortController();
    for (const key of Object.keys(this.#file.state.schedules)) this.#arm(key);
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#stop.abort(new Error('The runtime stops.'));
    for (const armed of this.#armed.values()) armed.stop();
    this.#armed.clear();
    // A schedule that has just run for the last time is deleted in the background.
    await this.#file.save();
  }

  /** Creates a group, unless it is there. */
  async ensureGroup(name: string): Promise<{ arn: string }> {
    this.#file.state.groups[name] ??= { createdAt: this.#clock.now() };
    await this.#file.save();
    return { arn: this.groupArn(name) };
  }

  /**
   * Creates a schedule of a template, or brings it to what the template says when that has changed;
   * what was changed by hand meanwhile stays.
   *
   * @throws Error naming what about it is wrong or not supported.
   */
  async ensureSchedule(template: ScheduleTemplate): Promise<{ arn: string }> {
    const request = templateSchema.parse(template);
    const Template = JSON.stringify(request);
    const existing = this.#file.state.schedules[keyOf(request)];
    if (existing?.Template !== Template) await this.#put({ ...request, Template }, existing);
    return { arn: this.scheduleArn(request) };
  }

  groupArn(name: string): string {
    return `${this.#arnPrefix()}:schedule-group/${name}`;
  }

  scheduleArn({ GroupName, Name }: { GroupName: string; Name: string }): string {
    return `${this.#arnPrefix()}:schedule/${GroupName}/${Name}`;
  }

  /** Groups in the order of their names, as the API shows them. */
  groups() {
    return Object.keys(this.#file.state.groups)
      .sort()
      .map((name) => this.group(name));
  }

  /** @throws AwsError ResourceNotFoundException */
  group(name: string) {
    const group = this.#file.state.groups[name];
    if (group === undefined) throw notFound(`Schedule group ${name} does not exist.`);
    const created = new Date(group.createdAt);
    return {
      Arn: this.groupArn(name),
      Name: name,
      State: 'ACTIVE',
      CreationDate: created,
      LastModificationDate: created,
    };
  }

  /** Schedules in the order of their ARNs. */
  schedules(): Schedule[] {
    return Object.entries(this.#file.state.schedules)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, schedule]) => schedule);
  }

  /** @throws AwsError ResourceNotFoundException */
  schedule(identity: { GroupName: string; Name: string }): Schedule {
    const schedule = this.#file.state.schedules[keyOf(identity)];
    if (schedule === undefined) throw notFound(`Schedule ${identity.Name} does not exist.`);
    return schedule;
  }

  /** @throws AwsError ConflictException, ValidationException, ResourceNotFoundException */
  async create(request: ScheduleRequest): Promise<void> {
    const existing = this.#file.state.schedules[keyOf(request)];
    if (existing !== undefined) {
      if (request.ClientToken !== undefined && existing.ClientToken === request.ClientToken) return;
      throw new AwsError('ConflictException', `Schedule ${request.Name} already exists.`, 409);
    }
    await this.#put(request, undefined);
  }

  /** Replaces all of a schedule. @throws AwsError ResourceNotFoundException, ValidationException */
  async update(request: ScheduleRequest): Promise<void> {
    const existing = this.schedule(request);
    await this.#put({ ...request, Template: existing.Template }, existing);
  }

  /** @throws AwsError ResourceNotFoundException */
  async delete(identity: { GroupName: string; Name: string }): Promise<void> {
    this.schedule(identity);
    delete this.#file.state.schedules[keyOf(identity)];
    this.#arm(keyOf(identity));
    await this.#file.save();
  }

  async #put(request: ScheduleRequest, existing: Schedule | undefined): Promise<void> {
    if (this.#file.state.groups[request.GroupName] === undefined) {
      throw notFound(`Schedule group ${request.GroupName} does not exist.`);
    }
    const now = this.#clock.now();
    const schedule = { ...request, CreationDate: existing?.CreationDate ?? now, LastModificationDate: now };
    try {
      checkSchedule(schedule);
      this.#assumeRole(schedule);
    } catch (error) {
      throw new AwsError('ValidationException', error instanceof Error ? error.message : String(error));
    }
    this.#file.state.schedules[keyOf(request)] = schedule;
    this.#arm(keyOf(request));
    await this.#file.save();
  }

  #assumeRole(schedule: Schedule): void {
    const service: Principal = {
      kind: 'service',
      arn: 'scheduler.amazonaws.com',
      sourceArn: this.groupArn(schedule.GroupName),
    };
    try {
      this.#options.authorize(service, { action: 'sts:AssumeRole', resource: schedule.Target.RoleArn });
    } catch (error) {
      throw new Error(
        `The execution role you provide must allow AWS EventBridge Scheduler to assume the role. (${
          error instanceof Error ? error.message : error
        })`,
      );
    }
  }

  #arm(key: string): void {
    this.#armed.get(key)?.stop();
    this.#armed.delete(key);
    const schedule = this.#file.state.schedules[key];
    if (!this.#started || schedule?.State !== 'ENABLED') return;
    const next = nextTime(schedule);
    const windowMs = (schedule.FlexibleTimeWindow.MaximumWindowInMinutes ?? 0) * 60_000;
    const run = async (time: number) => {
      if (windowMs > 0) await sleep(this.#clock, Math.floor(this.#random() * windowMs), this.#stop.signal);
      await this.#call(key, schedule, time);
    };
    const tryToRun = (time: number) => void run(time).catch((error) => this.#giveUp(schedule, error));
    this.#armed.set(key, new Recurring(this.#clock, next, tryToRun));
  }

  async #call(key: string, schedule: Schedule, scheduledTime: number): Promise<void> {
    const { Target } = schedule;
    const scheduleArn = this.scheduleArn(schedule);
    const executionId = randomUUID();
    let attempt = 0;
    const deliver: Deliver = (arn, _, origin) => {
      attempt += 1;
      const context = { scheduleArn, scheduledTime, executionId, attempt };
      return this.#options.deliver(arn, targetPayload(Target.Input, context), origin);
    };
    await deliverWithRetries(
      {
        clock: this.#clock,
        deliver,
        random: () => this.#random(),
        report: (line) => this.#options.report?.(line),
        signal: this.#stop.signal,
      },
      Target.Arn,
      undefined,
      { service: 'scheduler.amazonaws.com', sourceArn: scheduleArn, roleArn: Target.RoleArn },
      {
        maximumRetryAttempts: Target.RetryPolicy.MaximumRetryAttempts,
        maximumEventAgeSeconds: Target.RetryPolicy.MaximumEventAgeInSeconds,
        deadLetterArn: Target.DeadLetterConfig?.Arn,
      },
    );
    const over = nextTime(schedule)(scheduledTime) === undefined;
    const current = this.#file.state.schedules[key];
    if (over && schedule.ActionAfterCompletion === 'DELETE' && current === schedule)
      await this.delete(schedule);
  }

  #giveUp(schedule: Schedule, error: unknown): void {
    if (!this.#stop.signal.aborted) this.#options.report?.(`${this.scheduleArn(schedule)}: ${error}`);
  }

  #random(): number {
    return this.#options.random?.() ?? Math.random();
  }

  #arnPrefix(): string {
    return `arn:aws:scheduler:${this.#options.region}:${this.#options.accountId}`;
  }
}

function keyOf({ GroupName, Name }: { GroupName: string; Name: string }): string {
  return `${GroupName}/${Name}`;
}

function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, 404);
}
