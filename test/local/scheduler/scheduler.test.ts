import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Authorization,
  AwsError,
  type OperationContext,
  type Principal,
} from '../../../local/aws/operation.ts';
import type { DeliveryOrigin } from '../../../local/events/delivery.ts';
import { Scheduler } from '../../../local/scheduler/scheduler.ts';
import { VirtualClock } from './virtual-clock.ts';

const region = 'us-east-1';
const accountId = '000000000000';
const context: OperationContext = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${accountId}:root` },
  region,
  accountId,
  requestId: 'r',
};
const role = `arn:aws:iam::${accountId}:role/schedule`;
const functionArn = `arn:aws:lambda:${region}:${accountId}:function:f`;
const scheduleArn = (name: string, group = 'default') =>
  `arn:aws:scheduler:${region}:${accountId}:schedule/${group}/${name}`;

let directory: string;
let clock: VirtualClock;
let deliveries: { at: string; target: string; payload: unknown; origin: DeliveryOrigin }[];
let reports: string[];
let fail: (target: string) => void;
let authorize: (principal: Principal, authorization: Authorization) => void;
let scheduler: Scheduler;

function create(): Scheduler {
  scheduler = new Scheduler({
    directory,
    region,
    accountId,
    clock,
    random: () => 0.5,
    authorize: (principal, authorization) => authorize(principal, authorization),
    deliver: async (target, payload, origin) => {
      fail(target);
      deliveries.push({ at: new Date(clock.now()).toISOString().slice(11, 19), target, payload, origin });
    },
    report: (line) => void reports.push(line),
  });
  return scheduler;
}

const request = (more: Record<string, unknown> = {}) => ({
  Name: 's',
  ScheduleExpression: 'rate(1 hour)',
  FlexibleTimeWindow: { Mode: 'OFF' },
  Target: { Arn: functionArn, RoleArn: role },
  ...more,
});
const call = async (operation: string, input: Record<string, unknown>) =>
  scheduler.api.operations?.[operation]?.run(input, context);
const times = () => deliveries.map(({ at }) => at);
const hour = 3_600_000;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'scheduler-'));
  clock = new VirtualClock();
  deliveries = [];
  reports = [];
  fail = () => undefined;
  authorize = () => undefined;
  await create().start();
});
afterEach(async () => {
  await scheduler.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('a schedule', () => {
  it('calls its target under its role, with its input and context attributes', async () => {
    const Input =
      '{"id":"<aws.scheduler.execution-id>","at":"<aws.scheduler.scheduled-time>","n":"<aws.scheduler.attempt-number>","s":"<aws.scheduler.schedule-arn>","x":"<aws.scheduler.other>"}';
    await call('CreateSchedule', request({ Target: { Arn: functionArn, RoleArn: role, Input } }));
    await clock.advance(hour);
    expect(deliveries).toEqual([
      {
        at: '11:00:00',
        target: functionArn,
        payload: {
          id: expect.stringMatching(/^[\da-f-]{36}$/),
          at: '2026-11-20T11:00:00Z',
          n: '1',
          s: scheduleArn('s'),
          x: '<aws.scheduler.other>',
        },
        origin: { service: 'scheduler.amazonaws.com', sourceArn: scheduleArn('s'), roleArn: role },
      },
    ]);
  });

  it('runs by cron in its time zone', async () => {
    await call(
      'CreateSchedule',
      request({ ScheduleExpression: 'cron(30 12 * * ? *)', ScheduleExpressionTimezone: 'Europe/Berlin' }),
    );
    await clock.advance(24 * hour);
    expect(times()).toEqual(['11:30:00']);
  });

  it('keeps between its start and its end', async () => {
    const seconds = (time: string) => Date.parse(`2026-11-20T${time}Z`) / 1000;
    const dates = { StartDate: seconds('10:25:00'), EndDate: seconds('11:30:00') };
    await call('CreateSchedule', request({ ...dates, ScheduleExpression: 'rate(20 minutes)' }));
    await call(
      'CreateSchedule',
      request({ ...dates, Name: 'c', ScheduleExpression: 'cron(0/15 * * * ? *)' }),
    );
    await clock.advance(5 * hour);
    const of = (name: string) =>
      deliveries.filter(({ origin }) => origin.sourceArn === scheduleArn(name)).map(({ at }) => at);
    expect(of('s')).toEqual(['10:25:00', '10:45:00', '11:05:00', '11:25:00']);
    expect(of('c')).toEqual(['10:30:00', '10:45:00', '11:00:00', '11:15:00', '11:30:00']);
  });

  it('runs once at a time, and is deleted after that where it says so', async () => {
    const once = { ScheduleExpression: 'at(2026-11-20T10:30:00)' };
    await call('CreateSchedule', request(once));
    await call('CreateSchedule', request({ ...once, Name: 'gone', ActionAfterCompletion: 'DELETE' }));
    await clock.advance(5 * hour);
    expect(times()).toEqual(['10:30:00', '10:30:00']);
    expect(await call('ListSchedules', {})).toMatchObject({ Schedules: [{ Name: 's' }] });
    await scheduler.stop();
    expect(readdirSync(directory).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('runs somewhere in its flexible window', async () => {
    const FlexibleTimeWindow = { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 10 };
    await call('CreateSchedule', request({ FlexibleTimeWindow }));
    await clock.advance(hour + 299_000);
    expect(times()).toEqual([]);
    await clock.advance(1000);
    expect(times()).toEqual(['11:05:00']);
  });

  it('does not run while it is disabled', async () => {
    await call('CreateSchedule', request({ State: 'DISABLED' }));
    await clock.advance(2 * hour);
    await call('UpdateSchedule', request({ State: 'ENABLED' }));
    await clock.advance(hour);
    await call('DeleteSchedule', { Name: 's' });
    await clock.advance(2 * hour);
    expect(times()).toEqual(['13:00:00']);
  });

  it('tries again with the number of the attempt, then gives up into its dead-letter queue', async () => {
    const queue = `arn:aws:sqs:${region}:${accountId}:dead`;
    let attempts = 0;
    fail = (target) => {
      attempts += 1;
      if (target !== queue) throw new Error('down');
    };
    const Target = {
      Arn: functionArn,
      RoleArn: role,
      Input: '"<aws.scheduler.attempt-number>"',
      RetryPolicy: { MaximumRetryAttempts: 2 },
      DeadLetterConfig: { Arn: queue },
    };
    await call('CreateSchedule', request({ ScheduleExpression: 'at(2026-11-20T10:30:00)', Target }));
    await clock.advance(hour);
    expect(attempts).toBe(4);
    expect(deliveries).toMatchObject([{ target: queue }]);
    expect(reports).toEqual([expect.stringContaining('down')]);
  });
});

describe('schedules on disk', () => {
  it('go on after a restart, without making up for what was missed', async () => {
    await scheduler.ensureGroup('mainstay');
    await call('CreateSchedule', request({ GroupName: 'mainstay', Description: 'kept' }));
    await scheduler.stop();
    expect(clock.waiting).toBe(0);
    await clock.advance(3.5 * hour);
    await create().start();
    await clock.advance(hour);
    expect(times()).toEqual(['14:00:00']);
    expect(await call('GetSchedule', { Name: 's', GroupName: 'mainstay' })).toMatchObject({
      Description: 'kept',
    });
  });

  it('of a template follow it when it changes, and keep what was changed by hand when not', async () => {
    const template = {
      Name: 's',
      GroupName: 'default',
      ScheduleExpression: 'rate(1 hour)',
      FlexibleTimeWindow: { Mode: 'OFF' as const },
      Target: { Arn: functionArn, RoleArn: role },
      StartDate: '2026-11-20T12:00:00Z',
    };
    await scheduler.ensureSchedule(template);
    await call('UpdateSchedule', request({ State: 'DISABLED' }));
    await create().start();
    await scheduler.ensureSchedule(template);
    expect(scheduler.schedule({ GroupName: 'default', Name: 's' }).State).toBe('DISABLED');
    await scheduler.ensureSchedule({ ...template, ScheduleExpression: 'rate(2 hours)' });
    expect(scheduler.schedule({ GroupName: 'default', Name: 's' })).toMatchObject({
      State: 'ENABLED',
      ScheduleExpression: 'rate(2 hours)',
      StartDate: Date.parse('2026-11-20T12:00:00Z'),
      CreationDate: Date.parse('2026-11-20T10:00:00Z'),
    });
  });
});

describe('the Scheduler API', () => {
  it('describes a schedule as it was given', async () => {
    const created = await call('CreateSchedule', request({ StartDate: 1_800_000_000, ClientToken: 'token' }));
    expect(created).toEqual({ ScheduleArn: scheduleArn('s') });
    expect(await call('GetSchedule', { Name: 's' })).toEqual({
      Arn: scheduleArn('s'),
      Name: 's',
      GroupName: 'default',
      Description: '',
      ScheduleExpression: 'rate(1 hour)',
      ScheduleExpressionTimezone: 'UTC',
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'NONE',
      StartDate: new Date(1_800_000_000_000),
      CreationDate: new Date('2026-11-20T10:00:00Z'),
      LastModificationDate: new Date('2026-11-20T10:00:00Z'),
      Target: {
        Arn: functionArn,
        RoleArn: role,
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      },
    });
  });

  it('creates once for the same client token, and refuses another of that name', async () => {
    await call('CreateSchedule', request({ ClientToken: 'a' }));
    await call('CreateSchedule', request({ ClientToken: 'a' }));
    await expect(call('CreateSchedule', request({ ClientToken: 'b' }))).rejects.toMatchObject({
      code: 'ConflictException',
      statusCode: 409,
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ ScheduleExpression: 'cron(0 0 * * * *)' }, 'needs ?'],
    [{ ScheduleExpressionTimezone: 'Mars/Base' }, 'Mars/Base'],
    [{ FlexibleTimeWindow: { Mode: 'FLEXIBLE' } }, 'MaximumWindowInMinutes'],
    [{ Name: 'a b' }, 'Name'],
    [{ StartDate: 20, EndDate: 10 }, 'EndDate must not be before'],
    [
      { Target: { Arn: 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage', RoleArn: role } },
      'aws-sdk:sqs:sendMessage',
    ],
    [{ Target: { Arn: `arn:aws:sqs:${region}:${accountId}:q`, RoleArn: role } }, 'does not support'],
  ])('refuses %j', async (more, reason) => {
    await expect(call('CreateSchedule', request(more))).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(reason),
    });
  });

  it('refuses what it does not emulate, by name', async () => {
    const Target = { Arn: functionArn, RoleArn: role, SqsParameters: {} };
    await expect(call('CreateSchedule', request({ Target }))).rejects.toMatchObject({
      code: 'NotEmulated',
      message: expect.stringContaining('Target.SqsParameters'),
    });
    await expect(call('CreateSchedule', request({ KmsKeyArn: 'k' }))).rejects.toMatchObject({
      code: 'NotEmulated',
    });
  });

  it('refuses a role that Scheduler may not assume', async () => {
    authorize = (principal, authorization) => {
      expect(principal).toMatchObject({ kind: 'service', arn: 'scheduler.amazonaws.com' });
      expect(authorization).toEqual({ action: 'sts:AssumeRole', resource: role });
      throw new AwsError('AccessDenied', 'no', 403);
    };
    await expect(call('CreateSchedule', request())).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining('must allow AWS EventBridge Scheduler to assume the role'),
    });
  });

  it('answers for what does not exist', async () => {
    for (const operation of ['GetSchedule', 'DeleteSchedule', 'GetScheduleGroup']) {
      await expect(call(operation, { Name: 'none' })).rejects.toMatchObject({
        code: 'ResourceNotFoundException',
      });
    }
    await expect(call('CreateSchedule', request({ GroupName: 'none' }))).rejects.toMatchObject({
      statusCode: 404,
    });
    await expect(call('UpdateSchedule', request())).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('lists schedules and groups by prefix, in pages', async () => {
    await scheduler.ensureGroup('mainstay');
    for (const Name of ['a1', 'a2', 'b1'])
      await call('CreateSchedule', request({ Name, GroupName: 'mainstay' }));
    const first = await call('ListSchedules', { GroupName: 'mainstay', NamePrefix: 'a', MaxResults: '1' });
    expect(first).toMatchObject({ Schedules: [{ Name: 'a1', Target: { Arn: functionArn } }] });
    const { NextToken } = Object(first);
    expect(await call('ListSchedules', { NamePrefix: 'a', NextToken })).toMatchObject({
      Schedules: [{ Name: 'a2' }],
    });
    expect(await call('ListScheduleGroups', {})).toMatchObject({
      ScheduleGroups: [{ Name: 'default' }, { Name: 'mainstay', State: 'ACTIVE' }],
    });
  });

  it('asks IAM about the schedule and about passing the role', async () => {
    expect(await scheduler.api.operations?.CreateSchedule?.authorize(request(), context)).toEqual([
      { action: 'scheduler:CreateSchedule', resource: scheduleArn('s') },
      {
        action: 'iam:PassRole',
        resource: role,
        context: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
      },
    ]);
  });
});
