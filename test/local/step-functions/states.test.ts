import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AwsError } from '../../../local/aws/operation.ts';
import { sleep } from '../../../local/scheduler/clock.ts';
import { functionArn, Harness, invoke, machine, machineArn, roleArn, thrown } from './harness.ts';

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.dispose());

describe('Pass, Succeed, Fail, Wait and Choice', () => {
  it('hand data through InputPath, Parameters, ResultPath and OutputPath', async () => {
    const definition = machine({
      A: { Type: 'Pass', InputPath: '$.in', Parameters: { 'y.$': '$.x' }, ResultPath: '$.out', Next: 'B' },
      B: { Type: 'Pass', Result: null, ResultPath: '$.none', Next: 'C' },
      C: { Type: 'Pass', InputPath: null, ResultPath: '$.empty', Next: 'D' },
      D: { Type: 'Succeed', OutputPath: "$['out','none','empty']" },
    });
    expect(await harness.output(definition, { in: { x: 1 } })).toEqual([{ y: 1 }, null, {}]);
  });

  it('show what AWS shows of the execution in the context object', async () => {
    const context = { Type: 'Pass', Parameters: { 'c.$': '$$' }, OutputPath: '$.c', End: true };
    const definition = machine({
      Both: { Type: 'Parallel', Branches: [machine({ Look: context })], OutputPath: '$[0]', End: true },
    });
    const record = await harness.run(definition, { a: 1 });
    expect(JSON.parse(record.output ?? '')).toEqual({
      Execution: {
        Id: record.executionArn,
        Name: record.name,
        Input: { a: 1 },
        RoleArn: roleArn,
        StartTime: '2026-11-20T10:00:00.000Z',
        RedriveCount: 0,
      },
      State: { Name: 'Look', EnteredTime: '2026-11-20T10:00:00.000Z', RetryCount: 0 },
      StateMachine: { Id: machineArn, Name: 'machine' },
    });
  });

  it('fail with the error and cause of a Fail state', async () => {
    const fixed = machine({ F: { Type: 'Fail', Error: 'Own', Cause: 'because' } });
    expect(await harness.output(fixed)).toBe('Own: because');
    const found = machine({
      F: { Type: 'Fail', ErrorPath: '$.e', CausePath: "States.Format('at {}', $.n)" },
    });
    expect(await harness.output(found, { e: 'Found', n: 3 })).toBe('Found: at 3');
  });

  it.each([
    [{ Seconds: 90 }, '10:01:30'],
    [{ SecondsPath: '$.seconds' }, '10:00:07'],
    [{ Timestamp: '2026-11-20T12:00:00Z' }, '12:00:00'],
    [{ TimestampPath: '$.at' }, '11:30:00'],
    [{ Timestamp: '2026-11-19T00:00:00Z' }, '10:00:00'],
    [{ Seconds: 0 }, '10:00:00'],
  ])('wait as %j says', async (wait, time) => {
    const input = { seconds: 7, at: '2026-11-20T12:30:00+01:00' };
    const record = await harness.run(machine({ W: { Type: 'Wait', ...wait, End: true } }), input);
    expect(new Date(record.stoppedAt ?? 0).toISOString()).toBe(`2026-11-20T${time}.000Z`);
    expect(JSON.parse(record.output ?? '')).toEqual(input);
  });

  it('fail when no rule of a Choice matches and there is no default', async () => {
    const choose = { Type: 'Choice', Choices: [{ Variable: '$.a', NumericEquals: 1, Next: 'C' }] };
    expect(await harness.output(machine({ C: choose }), { a: 2 })).toContain('States.NoChoiceMatched');
  });
});

describe('Lambda tasks', () => {
  it('give the whole answer of Invoke to ResultSelector', async () => {
    harness.functions.f = (payload) => ({ got: payload });
    const definition = machine({
      T: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: functionArn('f'), Payload: { 'n.$': '$.n' } },
        End: true,
      },
    });
    expect(await harness.output(definition, { n: 1 })).toEqual({
      ExecutedVersion: '$LATEST',
      Payload: { got: { n: 1 } },
      SdkHttpMetadata: { HttpStatusCode: 200 },
      StatusCode: 200,
    });
    expect(harness.calls[0]?.principal).toMatchObject({ kind: 'role', roleArn });
  });

  it('are called by name, with a qualifier, asynchronously, and by their own ARN', async () => {
    harness.functions.f = (_, call) =>
      call.invocationType === 'Event' ? { statusCode: 202 } : { arn: call.functionArn };
    const event = {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: 'f', Qualifier: 'live', InvocationType: 'Event' },
      ResultPath: '$.queued',
      Next: 'Own',
    };
    const own = { Type: 'Task', Resource: functionArn('f'), ResultPath: '$.own', End: true };
    const output = await harness.output(machine({ Queue: event, Own: own }), {});
    expect(output).toMatchObject({ queued: { StatusCode: 202 }, own: { arn: functionArn('f') } });
    expect(harness.calls[0]).toMatchObject({ functionArn: `${functionArn('f')}:live`, payload: {} });
  });

  it.each<[string, () => never | ReturnType<typeof thrown>, string]>([
    ['its error type', () => thrown('SnapshotLost', 'gone'), 'SnapshotLost'],
    ['a timeout', () => thrown('Sandbox.Timedout', 'Task timed out'), 'Sandbox.Timedout'],
    ['no type', () => ({ statusCode: 200, functionError: 'Unhandled', payload: {} }), 'Lambda.Unknown'],
    [
      'throttling',
      () => {
        throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
      },
      'Lambda.TooManyRequestsException',
    ],
    [
      'a failure of Lambda',
      () => {
        throw new AwsError('ServiceException', 'oops', 500);
      },
      'Lambda.ServiceException',
    ],
    [
      'a refusal by IAM',
      () => {
        throw new AwsError('AccessDeniedException', 'User is not authorized', 403);
      },
      'Lambda.AWSLambdaException',
    ],
  ])('fail with AWS’s name for %s', async (_, fail, expected) => {
    harness.functions.f = fail;
    const record = await harness.run(machine({ T: invoke('f') }));
    expect(record).toMatchObject({ status: 'FAILED', error: expected });
  });

  it('give the error’s payload as the cause', async () => {
    harness.functions.f = () => thrown('SnapshotLost', 'gone');
    const { cause } = await harness.run(machine({ T: invoke('f') }));
    expect(JSON.parse(cause ?? '')).toEqual({ errorType: 'SnapshotLost', errorMessage: 'gone', trace: [] });
  });

  it('run as long as they take, or until TimeoutSeconds', async () => {
    const signal = new AbortController().signal;
    harness.functions.slow = async () => {
      await sleep(harness.clock, 3_600_000, signal);
      return 'done';
    };
    expect(await harness.output(machine({ T: invoke('slow') }))).toBe('done');
    const limited = machine({ T: invoke('slow', { TimeoutSecondsPath: '$.limit' }) });
    const record = await harness.run(limited, { limit: 5 });
    expect(record).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect((record.stoppedAt ?? 0) - record.startedAt).toBe(5000);
  });

  it('may not take or give more than 256 KiB', async () => {
    harness.functions.f = () => 'x'.repeat(262_144);
    expect(await harness.run(machine({ T: invoke('f') }))).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
  });
});

describe('Retry and Catch', () => {
  it('back off up to the longest delay, then fail', async () => {
    const times: number[] = [];
    harness.functions.f = () => {
      times.push(harness.clock.now());
      return thrown('Busy', '');
    };
    const retry = {
      ErrorEquals: ['Busy'],
      IntervalSeconds: 2,
      BackoffRate: 3,
      MaxAttempts: 4,
      MaxDelaySeconds: 20,
    };
    expect(await harness.run(machine({ T: invoke('f', { Retry: [retry] }) }))).toMatchObject({
      error: 'Busy',
    });
    expect(times.map((time) => (time - (times[0] ?? 0)) / 1000)).toEqual([0, 2, 8, 26, 46]);
  });

  it('jitter within the delay', async () => {
    harness.functions.f = () => thrown('Busy', '');
    const retry = { ErrorEquals: ['Busy'], IntervalSeconds: 10, MaxAttempts: 1, JitterStrategy: 'FULL' };
    const record = await harness.run(machine({ T: invoke('f', { Retry: [retry] }) }));
    expect((record.stoppedAt ?? 0) - record.startedAt).toBe(5000);
  });

  it('count attempts per entry, and anew at each visit', async () => {
    const errors = ['A', 'B', 'A', 'B', 'A'];
    const counts: unknown[] = [];
    harness.functions.f = (payload) => {
      counts.push(payload);
      return thrown(errors.shift() ?? 'End', '');
    };
    const state = invoke('f', {
      Parameters: { FunctionName: functionArn('f'), 'Payload.$': '$$.State.RetryCount' },
      Retry: [
        { ErrorEquals: ['A'], MaxAttempts: 2 },
        { ErrorEquals: ['B'], MaxAttempts: 2 },
      ],
    });
    expect(await harness.run(machine({ T: state }))).toMatchObject({ error: 'A' });
    expect(counts).toEqual([0, 1, 2, 3, 4]);
  });

  it('know the wildcards: States.TaskFailed leaves out timeouts, States.ALL takes them', async () => {
    harness.functions.f = (payload) =>
      payload === 'fail' ? thrown('X', '') : new Promise<never>(() => undefined);
    const state = (errors: string[]) =>
      machine({
        T: invoke('f', { TimeoutSeconds: 1, Catch: [{ ErrorEquals: errors, Next: 'Caught' }] }),
        Caught: { Type: 'Pass', Result: 'caught', End: true },
      });
    expect(await harness.output(state(['States.TaskFailed']), 'fail')).toBe('caught');
    expect(await harness.output(state(['States.TaskFailed']), 'hang')).toContain('States.Timeout');
    expect(await harness.output(state(['States.Timeout']), 'hang')).toBe('caught');
    expect(await harness.output(state(['States.ALL']), 'hang')).toBe('caught');
  });

  it('put error and cause where ResultPath says and keep the state’s input', async () => {
    harness.functions.f = () => thrown('X', 'why');
    const definition = (path: unknown) =>
      machine({
        T: invoke('f', {
          Parameters: { FunctionName: functionArn('f') },
          Catch: [{ ErrorEquals: ['X'], ResultPath: path, Next: 'Done' }],
        }),
        Done: { Type: 'Succeed' },
      });
    expect(await harness.output(definition('$.error'), { a: 1 })).toMatchObject({
      a: 1,
      error: { Error: 'X' },
    });
    expect(await harness.output(definition(null), { a: 1 })).toEqual({ a: 1 });
    expect(await harness.output(definition(undefined), { a: 1 })).toMatchObject({ Error: 'X' });
  });

  it('do not take a mistake of the definition, not even by States.ALL', async () => {
    const catching = { ErrorEquals: ['States.ALL'], Next: 'Done' };
    const definition = machine({
      T: invoke('f', { InputPath: '$.missing', Retry: [{ ErrorEquals: ['States.ALL'] }], Catch: [catching] }),
      Done: { Type: 'Succeed' },
    });
    expect(await harness.run(definition)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });
});

describe('AWS SDK integrations', () => {
  const checkKey = machine({
    CheckKey: {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:kms:generateDataKeyWithoutPlaintext',
      Parameters: { 'KeyId.$': '$.key', KeySpec: 'AES_256' },
      End: true,
    },
  });

  it('call the service under the machine’s role and show bytes as base64', async () => {
    harness.aws = () => ({
      KeyId: 'k',
      CiphertextBlob: new Uint8Array([1, 2, 3]),
      At: new Date(0),
      No: undefined,
    });
    expect(await harness.output(checkKey, { key: 'k' })).toEqual({
      KeyId: 'k',
      CiphertextBlob: 'AQID',
      At: '1970-01-01T00:00:00.000Z',
    });
    expect(harness.awsCalls[0]).toMatchObject({
      principal: { roleArn },
      service: 'kms',
      operation: 'GenerateDataKeyWithoutPlaintext',
      input: { KeyId: 'k', KeySpec: 'AES_256' },
    });
  });

  it.each([
    ['kms', 'encrypt', 'NotFoundException', 'Kms.NotFoundException'],
    ['kms', 'encrypt', 'AccessDeniedException', 'Kms.KmsException'],
    ['dynamodb', 'putItem', 'ConditionalCheckFailedException', 'DynamoDb.ConditionalCheckFailedException'],
    ['rds', 'describeDBClusters', 'DBClusterNotFoundFault', 'Rds.DbClusterNotFoundException'],
  ])('%s:%s name %s as AWS does', async (service, action, code, expected) => {
    harness.aws = () => {
      throw new AwsError(code, 'no');
    };
    const state = { Type: 'Task', Resource: `arn:aws:states:::aws-sdk:${service}:${action}`, End: true };
    expect(await harness.run(machine({ T: state }))).toMatchObject({ error: expected });
  });

  it('translate the names of members where the service’s own are in camel case', async () => {
    harness.aws = () => ({ executionArn: 'x', startDate: new Date(0) });
    const state = {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:sfn:startExecution',
      Parameters: { StateMachineArn: machineArn },
      End: true,
    };
    expect(await harness.output(machine({ T: state }))).toMatchObject({ ExecutionArn: 'x' });
    expect(harness.awsCalls[0]?.input).toEqual({ stateMachineArn: machineArn });
  });

  it('put events with the execution among their resources', async () => {
    harness.aws = () => ({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
    const state = {
      Type: 'Task',
      Resource: 'arn:aws:states:::events:putEvents',
      Parameters: { Entries: [{ Detail: { 'n.$': '$.n' }, DetailType: 'd', Source: 's' }] },
      End: true,
    };
    const record = await harness.run(machine({ T: state }), { n: 1 });
    expect(harness.awsCalls[0]?.input).toEqual({
      Entries: [
        { Detail: '{"n":1}', DetailType: 'd', Source: 's', Resources: [record.executionArn, machineArn] },
      ],
    });
    harness.aws = () => ({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'x' }] });
    expect(await harness.run(machine({ T: state }), { n: 1 })).toMatchObject({
      error: 'EventBridge.FailedEntry',
    });
  });
});
