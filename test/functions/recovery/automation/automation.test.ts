import '../../shared/output.ts';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import {
  type AutomationDependencies,
  readAutomation,
  removeAutomation,
  seedAutomation,
  setAutomation,
} from '../../../../functions/recovery/automation/automation.ts';
import { automationHandlers } from '../../../../functions/recovery/automation/automation-api.ts';
import { BackupSchedules } from '../../../../functions/recovery/automation/backup-schedules.ts';
import { automationRoutes } from '../../../../functions/recovery/automation/contract.ts';
import { automationBodySchema, automationSchema } from '../../../../functions/recovery/automation/model.ts';
import { RuleStore } from '../../../../functions/recovery/automation/rule-store.ts';
import { RecoveryTable } from '../../../../functions/recovery/catalog/recovery-table.ts';
import { defineContract } from '../../../../functions/shared/contract.ts';
import { httpFunction } from '../../../../functions/shared/http-function.ts';
import { Scheduler } from '../../../../local/scheduler/scheduler.ts';
import { accountId, type EmulatedAws, region, startAws } from '../../../local/aws/emulated-aws.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { httpEvent, lambdaContext } from '../../shared/lambda.ts';

let aws: EmulatedAws;
let dynamo: TestDynamo;
let scheduler: Scheduler;
let client: SchedulerClient;
let deps: AutomationDependencies;
let rules: RuleStore;
const group = 'mainstay-test';
const now = Date.parse('2026-11-20T12:00:00Z');
const target = {
  group,
  stateMachineArn: `arn:aws:states:${region}:${accountId}:stateMachine:backup`,
  roleArn: `arn:aws:iam::${accountId}:role/schedules`,
};

beforeAll(async () => {
  dynamo = await startDynamo('recovery');
  aws = await startAws(async ({ directory }) => {
    scheduler = new Scheduler({
      ...{ directory, region, accountId, deliver: async () => undefined, authorize: () => undefined },
    });
    await scheduler.ensureGroup(group);
    return [scheduler.api];
  });
  client = new SchedulerClient({ ...aws.client(), maxAttempts: 1 });
});
beforeEach(async () => {
  const table = new RecoveryTable(dynamo.client, 'recovery');
  await table.delete({ pk: 'AUTOMATION', sk: 'RULE' });
  for (const { GroupName, Name } of scheduler.schedules()) await scheduler.delete({ GroupName, Name });
  rules = new RuleStore(table);
  deps = {
    rules,
    schedules: new BackupSchedules(client, target),
    clock: { now: () => now, sleep: async () => {} },
  };
});
afterEach(() => aws.endpoint.faults.clear());
afterAll(async () => {
  client?.destroy();
  await aws?.close();
  await dynamo?.stop();
});

const settings = (body: Record<string, unknown> = {}) => automationBodySchema.parse(body);
const schedules = () =>
  scheduler
    .schedules()
    .map(({ Name, ScheduleExpression, ScheduleExpressionTimezone, State }) => [
      ...[Name, ScheduleExpression, ScheduleExpressionTimezone, State],
    ]);
const refuse = (operation: string, times = 9) =>
  aws.endpoint.faults.add({
    ...{ service: 'scheduler', operation, times },
    error: { status: 500, code: 'InternalServerException' },
  });

describe('setting the automation', () => {
  it('without saying anything is daily in full, every six hours otherwise, for thirty days', async () => {
    const automation = await setAutomation(deps, settings(), 'key');
    expect(automationSchema.parse(automation)).toEqual(automation);
    expect(automation).toMatchObject({
      ...{ retentionDays: 30, keep: {}, lockDays: null, enabled: true, inForce: true, changedBy: 'key' },
      schedules: [
        { name: 'full-backup-daily', type: 'full', nextRunAt: '2026-11-21T02:00:00.000Z' },
        { name: 'incremental-backup', type: 'incremental', expression: 'rate(6 hours)', nextRunAt: null },
      ],
    });
    expect(scheduler.schedules().map(({ GroupName, Target }) => [GroupName, Target])).toMatchObject([
      [group, { Arn: target.stateMachineArn, Input: '{"trigger":"schedule","type":"full"}' }],
      [group, { RoleArn: target.roleArn, Input: '{"trigger":"schedule","type":"incremental"}' }],
    ]);
  });

  it('replaces all of it, and doing it again changes nothing', async () => {
    await setAutomation(deps, settings(), 'key');
    const other = settings({
      ...{ full: 'cron(30 3 ? * SUN *)', incremental: null, timezone: 'Europe/Berlin' },
      ...{ retentionDays: 90, keep: { weekly: 8 }, enabled: false },
    });
    const changed = await setAutomation(deps, other, 'other');
    expect(schedules()).toEqual([['full-backup-daily', 'cron(30 3 ? * SUN *)', 'Europe/Berlin', 'DISABLED']]);
    expect(changed).toMatchObject({ keep: { weekly: 8 }, inForce: true, schedules: [{ nextRunAt: null }] });
    const { version } = await rules.get();
    expect(await setAutomation(deps, other, 'third')).toEqual(changed);
    expect((await rules.get()).version).toBe(version);
  });

  it.each([
    ['full', 'cron(0 25 * * ? *)'],
    ['full', 'cron(0 2 * * * *)'],
    ['full', 'cron(0 2 30 2 ? *)'],
    ['full', 'cron(0 2 * * ? 2020)'],
    ['incremental', 'rate(1 hours)'],
    ['incremental', 'rate(0 hours)'],
    ['timezone', 'Europe/Atlantis'],
  ])('changes nothing when %s is %s, and says so', async (field, value) => {
    await setAutomation(deps, settings(), 'key');
    const before = [await rules.get(), schedules()];
    await expect(setAutomation(deps, settings({ [field]: value }), 'key')).rejects.toMatchObject({ field });
    expect([await rules.get(), schedules()]).toEqual(before);
  });

  it('that is cut short is seen, and finished by doing it again', async () => {
    await setAutomation(deps, settings(), 'key');
    refuse('UpdateSchedule');
    const wanted = settings({ full: 'rate(1 day)' });
    await expect(setAutomation(deps, wanted, 'key')).rejects.toThrow(
      'Scheduler did not complete UpdateSchedule',
    );
    aws.endpoint.faults.clear();
    expect(await readAutomation(deps)).toMatchObject({ full: 'rate(1 day)', inForce: false });
    expect(await setAutomation(deps, wanted, 'key')).toMatchObject({ inForce: true });
    expect(schedules()[0]).toContain('rate(1 day)');
  });

  it('by two at the same time ends with schedules that are those of the rule', async () => {
    const wanted = ['rate(2 days)', 'rate(3 days)'].map((full) =>
      setAutomation(deps, settings({ full }), 'key'),
    );
    const results = await Promise.allSettled(wanted);
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    const { full, inForce } = (await readAutomation(deps)) ?? {};
    expect(schedules()[0]).toContain(full);
    expect(inForce).toBe(true);
  });
});

describe('removing the automation', () => {
  it('removes schedules and rule, once', async () => {
    await setAutomation(deps, settings(), 'key');
    expect(await removeAutomation(deps)).toBe(true);
    expect([schedules(), await readAutomation(deps)]).toEqual([[], undefined]);
    expect(await removeAutomation(deps)).toBe(false);
    expect(await setAutomation(deps, settings(), 'key')).toMatchObject({ inForce: true });
  });

  it('that is cut short is finished by doing it again', async () => {
    await setAutomation(deps, settings(), 'key');
    refuse('DeleteSchedule');
    await expect(removeAutomation(deps)).rejects.toThrow('DeleteSchedule');
    aws.endpoint.faults.clear();
    expect(await readAutomation(deps)).toBeDefined();
    expect(await removeAutomation(deps)).toBe(true);
    expect(schedules()).toEqual([]);
  });
});

describe('a deployment', () => {
  it('makes the automation where there is none, and the schedules that are missing', async () => {
    const names = ['full-backup-daily', 'incremental-backup'];
    expect(await seedAutomation(deps, settings())).toEqual(names);
    expect(await seedAutomation(deps, settings({ full: 'rate(9 days)' }))).toEqual([]);
    await scheduler.delete({ GroupName: group, Name: 'full-backup-daily' });
    expect(await seedAutomation(deps, settings())).toEqual(['full-backup-daily']);
    expect(await readAutomation(deps)).toMatchObject({
      full: 'cron(0 2 * * ? *)',
      changedBy: null,
      inForce: true,
    });
  });

  it('leaves alone what its users have chosen, also that they want none', async () => {
    const chosen = await setAutomation(deps, settings({ incremental: null, retentionDays: 7 }), 'key');
    expect(await seedAutomation(deps, settings())).toEqual([]);
    expect(await readAutomation(deps)).toEqual(chosen);
    await removeAutomation(deps);
    expect(await seedAutomation(deps, settings())).toEqual([]);
    expect([schedules(), await readAutomation(deps)]).toEqual([[], undefined]);
  });
});

describe('the API', () => {
  const contract = defineContract({
    ...{
      name: 'recovery',
      title: 'Recovery',
      description: 'The automation alone.',
      routes: automationRoutes,
    },
    functions: { api: { environment: z.object({}) } },
  });
  const admit = async () => ({
    caller: { keyId: 'abcdefgh', name: 'Test', scopes: ['admin' as const], tier: 'free' as const },
    headers: {},
  });
  const path = '/api/disaster-recovery/automate';
  async function call(method: string, body?: unknown) {
    const handler = httpFunction({
      ...{ contract, functionContract: contract.functions.api, environment: {} },
      gate: () => ({
        admit,
        once: (_request, handle) => handle('01K9Z3V5Q0J8X7N2T4R6M1C9HB'),
        record: async () => {},
      }),
      handlers: () => automationHandlers(deps),
    });
    const answer = await handler(
      httpEvent({ method, path, ...(body !== undefined && { body }) }),
      lambdaContext(),
    );
    const { statusCode, body: text = '' } = z
      .object({ statusCode: z.number(), body: z.string().optional() })
      .parse(answer);
    return { status: statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  it('sets, shows and removes it, and says that there is none', async () => {
    expect((await call('GET')).status).toBe(404);
    const set = await call('POST', { retentionDays: 7 });
    expect(set).toMatchObject({
      status: 200,
      body: { retentionDays: 7, changedBy: 'abcdefgh', inForce: true },
    });
    expect(await call('GET')).toEqual(set);
    expect(await call('DELETE')).toEqual({ status: 204, body: undefined });
    expect((await call('DELETE')).status).toBe(404);
  });

  it.each([
    [{ full: 'cron(61 2 * * ? *)' }, 422, 'body.full'],
    [{ full: 'daily' }, 400, 'body.full'],
    [{ timezone: 'Mars' }, 422, 'body.timezone'],
    [{ retentionDays: 0 }, 400, 'body.retentionDays'],
    [{ keep: { daily: 3 } }, 400, 'body.keep'],
  ])('refuses %j with %i and names %s', async (body, status, field) => {
    expect(await call('POST', body)).toMatchObject({
      status,
      body: { errors: [{ field: expect.stringContaining(field) }] },
    });
    expect(schedules()).toEqual([]);
  });
});
