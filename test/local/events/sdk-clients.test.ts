import { join } from 'node:path';
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Authorization, Principal } from '../../../local/aws/operation.ts';
import { CloudWatch } from '../../../local/cloudwatch/cloudwatch.ts';
import { Logs } from '../../../local/cloudwatch/logs.ts';
import { EventBuses } from '../../../local/events/event-bus.ts';
import { Scheduler } from '../../../local/scheduler/scheduler.ts';
import { targetsOver } from '../../../local/step-functions/aws-targets.ts';
import { StepFunctions } from '../../../local/step-functions/step-functions.ts';
import { accountId, allow, type EmulatedAws, region, startAws } from '../aws/emulated-aws.ts';

const machineArn = `arn:aws:states:${region}:${accountId}:stateMachine:m`;
const machineRole = `arn:aws:iam::${accountId}:role/machine`;
const functionArn = `arn:aws:lambda:${region}:${accountId}:function:f`;
const trusts = (service: string) => ({
  Version: '2012-10-17' as const,
  Statement: [{ Effect: 'Allow' as const, Principal: { Service: service }, Action: 'sts:AssumeRole' }],
});

let aws: EmulatedAws;
let services: { stop(): Promise<void> }[];
const delivered: { target: string; payload: unknown }[] = [];

beforeAll(async () => {
  services = [];
  aws = await startAws(async ({ directory, authorizer }) => {
    const common = { directory: join(directory, 'state'), region, accountId };
    const deliver = async (target: string, payload: unknown) => void delivered.push({ target, payload });
    const authorize = (principal: Principal, authorization: Authorization) =>
      authorizer.check(principal, authorization);
    authorizer.setRole(machineRole, {
      trust: trusts('states.amazonaws.com'),
      policies: [{ Version: '2012-10-17', Statement: [allow('events:PutEvents')] }],
    });
    const buses = new EventBuses({ ...common, deliver });
    const cloudWatch = new CloudWatch({ ...common, deliver, putEvent: (event) => buses.put(event) });
    const logs = new Logs(common);
    const scheduler = new Scheduler({ ...common, deliver, authorize });
    const states = new StepFunctions({
      ...common,
      ...targetsOver((principal, service, operation, input) =>
        aws.endpoint.call(principal, service, operation, input),
      ),
      authorize,
      putEvent: (event) => void buses.put(event),
      writeLog: (...line) => logs.put(...line),
    });
    services = [states, scheduler, cloudWatch, buses];
    for (const service of [buses, cloudWatch, scheduler, states]) await service.start();
    logs.ensureGroup({ name: '/states/m' });
    buses.ensureRule({
      arn: `arn:aws:events:${region}:${accountId}:rule/ended`,
      name: 'ended',
      pattern: { source: ['aws.states'], detail: { status: ['SUCCEEDED', 'FAILED'] } },
      targets: [{ Id: 't', Arn: functionArn }],
    });
    await states.ensureStateMachine({
      arn: machineArn,
      name: 'm',
      roleArn: machineRole,
      logging: { level: 'ALL', includeExecutionData: true, groupName: '/states/m' },
      definition: JSON.stringify({
        StartAt: 'Tell',
        States: {
          Tell: {
            Type: 'Task',
            Resource: 'arn:aws:states:::events:putEvents',
            Parameters: { Entries: [{ Source: 'mainstay', DetailType: 'd', 'Detail.$': '$' }] },
            ResultPath: null,
            Next: 'Invoke',
          },
          Invoke: { Type: 'Task', Resource: functionArn, End: true },
        },
      }),
    });
    return [buses.api, cloudWatch.api, logs.api, scheduler.api, states.api];
  });
});
afterAll(async () => {
  for (const service of services) await service.stop();
  await aws.close();
});

const eventually = async <T>(read: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('AWS SDK clients', () => {
  it('start an execution, follow it, and its role is checked at each call', async () => {
    const client = new SFNClient(aws.client());
    const started = await client.send(
      new StartExecutionCommand({ stateMachineArn: machineArn, name: 'n', input: '{"a":1}' }),
    );
    const { executionArn } = started;
    expect(started.startDate).toBeInstanceOf(Date);
    const ended = await eventually(async () => {
      const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
      return execution.status === 'RUNNING' ? undefined : execution;
    });
    // The emulated AWS of this test has no Lambda, and says so.
    expect(ended).toMatchObject({
      status: 'FAILED',
      error: 'Lambda.AWSLambdaException',
      cause: expect.stringContaining('lambda'),
    });
    const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    expect(events?.map(({ type }) => type)).toContain('TaskSucceeded');
    await eventually(async () => (delivered.length > 0 ? true : undefined));
    expect(delivered).toMatchObject([
      { target: functionArn, payload: { detail: { status: 'FAILED', name: 'n' } } },
    ]);
    const logs = new CloudWatchLogsClient(aws.client());
    const found = await logs.send(
      new FilterLogEventsCommand({ logGroupName: '/states/m', filterPattern: 'ExecutionFailed' }),
    );
    expect(found.events).toHaveLength(1);
  });

  it('get errors as the classes of their models', async () => {
    const client = new SFNClient(aws.client());
    const missing = new DescribeExecutionCommand({
      executionArn: machineArn.replace('stateMachine', 'execution'),
    });
    await expect(client.send(missing)).rejects.toBeInstanceOf(ExecutionDoesNotExist);
    const nobody = new SFNClient(aws.asRole());
    await expect(
      nobody.send(new StartExecutionCommand({ stateMachineArn: machineArn })),
    ).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`states:StartExecution on resource: "${machineArn}"`),
    });
  });

  it('put events', async () => {
    const client = new EventBridgeClient(aws.client());
    const entry = { Source: 'mainstay', DetailType: 'd', Detail: '{}', Time: new Date() };
    const answer = await client.send(new PutEventsCommand({ Entries: [entry] }));
    expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
  });

  it('keep schedules, if they may pass the role', async () => {
    const scheduleRole = `arn:aws:iam::${accountId}:role/schedule`;
    aws.authorizer.setRole(scheduleRole, { trust: trusts('scheduler.amazonaws.com'), policies: [] });
    const create = new CreateScheduleCommand({
      Name: 'daily',
      ScheduleExpression: 'cron(0 2 * * ? *)',
      StartDate: new Date('2030-01-01T00:00:00Z'),
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: machineArn, RoleArn: scheduleRole, Input: '{"trigger":"schedule"}' },
    });
    const limited = new SchedulerClient(aws.asRole(allow('scheduler:*')));
    await expect(limited.send(create)).rejects.toThrow(`iam:PassRole on resource: "${scheduleRole}"`);
    const client = new SchedulerClient(aws.client());
    await client.send(create);
    expect(await client.send(new GetScheduleCommand({ Name: 'daily' }))).toMatchObject({
      GroupName: 'default',
      StartDate: new Date('2030-01-01T00:00:00Z'),
      Target: { Input: '{"trigger":"schedule"}' },
    });
    const listed = await client.send(new ListSchedulesCommand({ GroupName: 'default', MaxResults: 5 }));
    expect(listed.Schedules?.map(({ Name }) => Name)).toEqual(['daily']);
    await client.send(new DeleteScheduleCommand({ Name: 'daily' }));
    await expect(client.send(new GetScheduleCommand({ Name: 'daily' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('put metrics, so many that they are compressed on their way, and ask for them', async () => {
    const client = new CloudWatchClient(aws.client());
    const MetricData = Array.from({ length: 900 }, (_, index) => ({
      MetricName: 'Rows',
      Dimensions: [{ Name: 'shard', Value: 'a' }],
      Value: index,
      Timestamp: new Date(),
      Unit: 'Count' as const,
    }));
    await client.send(new PutMetricDataCommand({ Namespace: 'Own', MetricData }));
    const { MetricDataResults } = await client.send(
      new GetMetricDataCommand({
        StartTime: new Date(Date.now() - 600_000),
        EndTime: new Date(Date.now() + 60_000),
        MetricDataQueries: [
          {
            Id: 'rows',
            MetricStat: {
              Metric: { Namespace: 'Own', MetricName: 'Rows', Dimensions: [{ Name: 'shard', Value: 'a' }] },
              Period: 60,
              Stat: 'SampleCount',
            },
          },
        ],
      }),
    );
    const values = MetricDataResults?.[0]?.Values ?? [];
    expect(values.reduce((total, value) => total + value, 0)).toBe(900);
    expect((await client.send(new DescribeAlarmsCommand({}))).MetricAlarms).toEqual([]);
  });
});
