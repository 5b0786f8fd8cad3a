import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AwsError, type OperationContext } from '../../../local/aws/operation.ts';
import { sleep } from '../../../local/scheduler/clock.ts';
import type { ExecutionLogging } from '../../../local/step-functions/execution-log.ts';
import { accountId, Harness, invoke, machine, machineArn, region, roleArn, thrown } from './harness.ts';

const never = new AbortController().signal;
const executionArn = (name: string) => `arn:aws:states:${region}:${accountId}:execution:machine:${name}`;
const pass = machine({ P: { Type: 'Pass', End: true } });
const wait = machine({ W: { Type: 'Wait', Seconds: 3600, Next: 'P' }, P: { Type: 'Pass', End: true } });
const context: OperationContext = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${accountId}:root` },
  region,
  accountId,
  requestId: 'r',
};

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.dispose());

const call = async (operation: string, input: Record<string, unknown>) =>
  harness.service.api.operations[operation]?.run(input, context);
const statuses = () => harness.events.map(({ detail }) => detail.status);

describe('an execution', () => {
  it('is described as on AWS', async () => {
    const record = await harness.run(pass, { a: 1 });
    expect(await call('DescribeExecution', { executionArn: record.executionArn })).toEqual({
      executionArn: record.executionArn,
      stateMachineArn: machineArn,
      name: record.name,
      status: 'SUCCEEDED',
      startDate: new Date('2026-11-20T10:00:00Z'),
      stopDate: new Date('2026-11-20T10:00:00Z'),
      redriveCount: 0,
      input: '{"a":1}',
      inputDetails: { included: true },
      output: '{"a":1}',
      outputDetails: { included: true },
    });
  });

  it('puts every change of its status on the default bus as AWS shapes it', async () => {
    harness.functions.f = () => thrown('Broken', 'why');
    const record = await harness.run(machine({ T: invoke('f') }), { a: 1 });
    expect(statuses()).toEqual(['RUNNING', 'FAILED']);
    expect(harness.events[1]).toEqual({
      source: 'aws.states',
      detailType: 'Step Functions Execution Status Change',
      resources: [record.executionArn],
      time: Date.parse('2026-11-20T10:00:00Z'),
      detail: {
        executionArn: record.executionArn,
        stateMachineArn: machineArn,
        stateMachineVersionArn: null,
        stateMachineAliasArn: null,
        name: record.name,
        status: 'FAILED',
        startDate: Date.parse('2026-11-20T10:00:00Z'),
        stopDate: Date.parse('2026-11-20T10:00:00Z'),
        input: '{"a":1}',
        inputDetails: { included: true },
        output: null,
        outputDetails: null,
        error: 'Broken',
        cause: JSON.stringify({ errorType: 'Broken', errorMessage: 'why', trace: [] }),
        redriveCount: 0,
        redriveDate: null,
      },
    });
  });

  it('leaves data out of the event that would make it too large', async () => {
    await harness.run(pass, 'x'.repeat(150_000));
    expect(harness.events.map(({ detail }) => [detail.inputDetails, detail.outputDetails])).toEqual([
      [{ included: true }, null],
      [{ included: true }, { included: false }],
    ]);
  });

  it('is counted and timed', async () => {
    await harness.run(wait);
    expect(harness.metrics.map(({ name, values }) => [name, ...values])).toEqual([
      ['ExecutionsStarted', 1],
      ['ExecutionsSucceeded', 1],
      ['ExecutionTime', 3_600_000],
    ]);
    expect(harness.metrics[0]).toMatchObject({
      namespace: 'AWS/States',
      dimensions: { StateMachineArn: machineArn },
    });
  });

  it('is started once for the same name and input, while it runs', async () => {
    await harness.define(wait);
    const [first, second] = await Promise.all([harness.start({ a: 1 }, 'n'), harness.start({ a: 1 }, 'n')]);
    expect(second.startedAt).toBe(first.startedAt);
    expect(statuses()).toEqual(['RUNNING']);
    await expect(harness.start({ a: 2 }, 'n')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    await harness.ended(executionArn('n'));
    await expect(harness.start({ a: 1 }, 'n')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
  });

  it.each([
    ['InvalidName', { name: 'a b' }],
    ['InvalidName', { name: 'x'.repeat(81) }],
    ['InvalidExecutionInput', { input: '{' }],
    ['ValidationException', { input: JSON.stringify('x'.repeat(262_143)) }],
    ['StateMachineDoesNotExist', { stateMachineArn: `${machineArn}2` }],
  ])('is refused with %s for %j', async (code, request) => {
    await harness.define(pass);
    await expect(call('StartExecution', { stateMachineArn: machineArn, ...request })).rejects.toMatchObject({
      code,
    });
  });

  it('times out as a whole', async () => {
    const record = await harness.run({ ...wait, TimeoutSeconds: 10 });
    expect(record).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect((record.stoppedAt ?? 0) - record.startedAt).toBe(10_000);
    expect(harness.clock.waiting).toBe(0);
  });

  it('keeps the definition it began with', async () => {
    await harness.define(wait);
    await harness.start({}, 'old');
    await harness.define(pass);
    const answer = await call('DescribeStateMachineForExecution', { executionArn: executionArn('old') });
    expect(answer).toMatchObject({ definition: JSON.stringify(wait) });
    expect(await call('DescribeStateMachine', { stateMachineArn: machineArn })).toMatchObject({
      definition: JSON.stringify(pass),
      status: 'ACTIVE',
      type: 'STANDARD',
    });
    expect((await harness.ended(executionArn('old'))).stoppedAt).toBe(harness.clock.now());
  });
});

describe('stopping an execution', () => {
  it('aborts it: nothing is started any more, in no branch, and late results are ignored', async () => {
    let calls = 0;
    harness.functions.f = async (payload) => {
      calls += 1;
      await sleep(harness.clock, 700, never);
      return payload === 'fail' ? thrown('Busy', '') : {};
    };
    const loop = invoke('f', {
      Parameters: { FunctionName: 'f', Payload: 'fail' },
      Next: 'Loop',
      Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 99 }],
    });
    await harness.define(
      machine({
        All: {
          Type: 'Parallel',
          Branches: [
            machine({ Loop: loop }),
            machine({
              Each: {
                Type: 'Map',
                ItemsPath: '$.items',
                MaxConcurrency: 1,
                ItemProcessor: machine({ Item: invoke('f') }),
                End: true,
              },
            }),
            machine({
              Children: {
                Type: 'Map',
                ItemsPath: '$.items',
                MaxConcurrency: 1,
                ItemProcessor: {
                  ...machine({ Child: invoke('f') }),
                  ProcessorConfig: { Mode: 'DISTRIBUTED' },
                },
                End: true,
              },
            }),
            machine({ Wait: { Type: 'Wait', Seconds: 9999, End: true } }),
          ],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Never' }],
          End: true,
        },
        Never: invoke('f'),
      }),
    );
    await harness.start({ items: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, 'n');
    await harness.clock.advance(2500);
    const stopping = call('StopExecution', {
      executionArn: executionArn('n'),
      error: 'Canceled',
      cause: 'by hand',
    });
    expect(await stopping).toEqual({ stopDate: new Date(harness.clock.now()) });
    const before = calls;
    await harness.clock.advance(60_000);
    expect(calls).toBe(before);
    expect(harness.service.execution(executionArn('n'))).toMatchObject({
      status: 'ABORTED',
      error: 'Canceled',
      cause: 'by hand',
    });
    expect(statuses()).toEqual(['RUNNING', 'ABORTED']);
    expect((await harness.historyTypes(executionArn('n'))).at(-1)).toBe('ExecutionAborted');
  });

  it('leaves one that has ended as it is', async () => {
    const record = await harness.run(pass);
    await call('StopExecution', { executionArn: record.executionArn });
    expect(harness.service.execution(record.executionArn).status).toBe('SUCCEEDED');
    await expect(call('StopExecution', { executionArn: executionArn('none') })).rejects.toMatchObject({
      code: 'ExecutionDoesNotExist',
    });
  });
});

describe('the history of an execution', () => {
  it('has AWS’s events, linked per branch', async () => {
    harness.functions.f = () => 1;
    const definition = machine({
      Both: {
        Type: 'Parallel',
        Branches: [machine({ A: invoke('f') }), machine({ B: { Type: 'Pass', End: true } })],
        Next: 'Each',
      },
      Each: { Type: 'Map', ItemProcessor: machine({ C: { Type: 'Succeed' } }), End: true },
    });
    const { executionArn: arn } = await harness.run(definition);
    const history = await harness.service.history(arn);
    expect(history.map(({ id }) => id)).toEqual(history.map((_, index) => index + 1));
    expect(history.map(({ type }) => type).sort()).toEqual(
      [
        'ExecutionStarted',
        'ParallelStateEntered',
        'ParallelStateStarted',
        'TaskStateEntered',
        'TaskScheduled',
        'TaskStarted',
        'TaskSucceeded',
        'TaskStateExited',
        'PassStateEntered',
        'PassStateExited',
        'ParallelStateSucceeded',
        'ParallelStateExited',
        'MapStateEntered',
        'MapStateStarted',
        ...Array(2)
          .fill(['MapIterationStarted', 'SucceedStateEntered', 'SucceedStateExited', 'MapIterationSucceeded'])
          .flat(),
        'MapStateSucceeded',
        'MapStateExited',
        'ExecutionSucceeded',
      ].sort(),
    );
    const entered = history.filter(({ type }) => type === 'TaskStateEntered' || type === 'PassStateEntered');
    const started = history.find(({ type }) => type === 'ParallelStateStarted');
    expect(entered.map(({ previousEventId }) => previousEventId)).toEqual([started?.id, started?.id]);
  });

  it('is read in pages, in both directions, with and without data', async () => {
    const { executionArn: arn } = await harness.run(pass, { secret: 1 });
    const first = await call('GetExecutionHistory', { executionArn: arn, maxResults: 3, reverseOrder: true });
    expect(first).toMatchObject({
      events: [
        { id: 4, type: 'ExecutionSucceeded', executionSucceededEventDetails: { output: '{"secret":1}' } },
        { id: 3, type: 'PassStateExited' },
        { id: 2, type: 'PassStateEntered', stateEnteredEventDetails: { name: 'P', input: '{"secret":1}' } },
      ],
      nextToken: expect.any(String),
    });
    const { nextToken } = Object(first);
    const second = await call('GetExecutionHistory', {
      executionArn: arn,
      maxResults: 3,
      reverseOrder: true,
      nextToken,
      includeExecutionData: false,
    });
    expect(second).toEqual({
      events: [
        {
          id: 1,
          previousEventId: 0,
          type: 'ExecutionStarted',
          timestamp: new Date('2026-11-20T10:00:00Z'),
          executionStartedEventDetails: { roleArn },
        },
      ],
    });
  });

  it.each<[ExecutionLogging['level'], boolean, string[]]>([
    [
      'ALL',
      false,
      ['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'FailStateEntered', 'ExecutionFailed'],
    ],
    ['ERROR', true, ['ExecutionFailed']],
    ['OFF', true, []],
  ])('is logged at the level %s', async (level, includeExecutionData, types) => {
    const definition = machine({
      P: { Type: 'Pass', Next: 'F' },
      F: { Type: 'Fail', Error: 'E', Cause: 'c' },
    });
    await harness.define(definition, { level, includeExecutionData, groupName: '/states/log' });
    const { executionArn: arn } = await harness.start({ secret: 1 });
    await harness.ended(arn);
    const lines = harness.logged.map(({ message }) => JSON.parse(message));
    expect(lines.map(({ type }) => type)).toEqual(types);
    expect(harness.logged.every(({ group }) => group === '/states/log')).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('secret');
    if (types.length > 0) {
      expect(lines.at(-1)).toMatchObject({ execution_arn: arn, details: { error: 'E', cause: 'c' } });
    }
  });

  it('ends the execution when it is full', async () => {
    await harness.dispose();
    harness = new Harness({ historyLimit: 200 });
    const loop = machine({
      Both: {
        Type: 'Parallel',
        Branches: [
          machine({ Loop: { Type: 'Pass', Next: 'Loop' } }),
          machine({ Wait: { Type: 'Wait', Seconds: 60, End: true } }),
        ],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Succeed' },
    });
    const record = await harness.run(loop);
    expect(record).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (200).',
    });
    expect(await harness.service.history(record.executionArn)).toHaveLength(200);
  });
});

describe('executions on disk', () => {
  it('are found again after a restart, with output and history', async () => {
    const record = await harness.run(pass, { a: 1 });
    await harness.service.stop();
    const again = harness.create();
    await again.start();
    expect(again.execution(record.executionArn)).toEqual(record);
    expect(await again.history(record.executionArn)).toHaveLength(4);
    await harness.define(pass);
    expect(again.executions(machineArn)).toHaveLength(1);
  });

  it('that were running when everything was killed are aborted at the next start, and announced', async () => {
    await harness.define(wait);
    await harness.start({}, 'killed');
    await harness.clock.advance(1000);
    expect(await harness.historyTypes(executionArn('killed'))).toHaveLength(2);
    const killed = harness.service;
    harness.events.length = 0;
    const again = harness.create();
    await again.start();
    const cause = 'The local runtime stopped while the execution was running';
    expect(again.execution(executionArn('killed'))).toMatchObject({ status: 'ABORTED', cause });
    expect(statuses()).toEqual([]);
    await again.announceInterrupted();
    await again.announceInterrupted();
    expect(harness.events).toMatchObject([{ detail: { status: 'ABORTED', cause } }]);
    const history = await again.history(executionArn('killed'));
    expect(history.at(-1)).toMatchObject({ type: 'ExecutionAborted', id: history.length });
    await killed.stop();
  });

  it('that stop() aborted are announced by the next run', async () => {
    await harness.define(wait);
    await harness.start({}, 'stopped');
    await harness.service.stop();
    expect(statuses()).toEqual(['RUNNING']);
    const again = harness.create();
    await again.start();
    await again.announceInterrupted();
    expect(statuses()).toEqual(['RUNNING', 'ABORTED']);
    expect(harness.clock.waiting).toBe(0);
  });

  it('that have ended are kept up to a number', async () => {
    await harness.dispose();
    harness = new Harness({ keptExecutions: 2 });
    await harness.define(pass);
    for (const name of ['a', 'b', 'c']) {
      await harness.start({}, name);
      await harness.ended(executionArn(name));
      await harness.clock.advance(1000);
    }
    await harness.service.stop();
    expect(harness.service.executions(machineArn).map(({ name }) => name)).toEqual(['c', 'b']);
  });
});

describe('the Step Functions API', () => {
  it('lists state machines and executions, newest first, by status and in pages', async () => {
    await harness.define(pass);
    for (const name of ['a', 'b', 'c']) {
      await harness.start({}, name);
      await harness.ended(executionArn(name));
      await harness.clock.advance(1000);
    }
    const list = (more: Record<string, unknown>) =>
      call('ListExecutions', { stateMachineArn: machineArn, ...more });
    const page = Object(await list({ maxResults: 2 }));
    expect(page).toMatchObject({ executions: [{ name: 'c' }, { name: 'b' }] });
    expect(await list({ nextToken: page.nextToken })).toMatchObject({ executions: [{ name: 'a' }] });
    expect(await list({ statusFilter: 'FAILED' })).toEqual({ executions: [] });
    expect(await call('ListStateMachines', {})).toMatchObject({ stateMachines: [{ name: 'machine' }] });
  });

  it('asks IAM for each call about the resource it acts on', async () => {
    const asked = async (operation: string, input: Record<string, unknown>) =>
      harness.service.api.operations[operation]?.authorize(input, context);
    expect(await asked('StartExecution', { stateMachineArn: machineArn })).toEqual([
      { action: 'states:StartExecution', resource: machineArn },
    ]);
    expect(await asked('StopExecution', { executionArn: executionArn('n') })).toEqual([
      { action: 'states:StopExecution', resource: executionArn('n') },
    ]);
    expect(await asked('ListStateMachines', {})).toEqual([
      { action: 'states:ListStateMachines', resource: '*' },
    ]);
  });

  it('refuses members it does not know', async () => {
    await expect(async () =>
      call('DescribeExecution', { executionArn: executionArn('n'), extra: 1 }),
    ).rejects.toBeInstanceOf(AwsError);
  });

  it('refuses a role that Step Functions may not assume', async () => {
    harness.allow = (authorization) => {
      expect(authorization).toEqual({ action: 'sts:AssumeRole', resource: roleArn });
      throw new AwsError('AccessDenied', 'no', 403);
    };
    await expect(harness.define(pass)).rejects.toThrow(`not authorized to assume the role ${roleArn}`);
  });

  it('refuses EXPRESS state machines', async () => {
    await expect(
      harness.service.ensureStateMachine({
        arn: machineArn,
        name: 'machine',
        roleArn,
        type: 'EXPRESS',
        definition: JSON.stringify(pass),
      }),
    ).rejects.toThrow('type EXPRESS');
  });
});
