import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AwsError } from '../../../local/aws/operation.ts';
import { sleep } from '../../../local/scheduler/clock.ts';
import type { Json } from '../../../local/step-functions/json.ts';
import { functionArn, Harness, invoke, machine, machineArn, thrown } from './harness.ts';

const never = new AbortController().signal;
let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.dispose());

const each = (processor: unknown, more: Record<string, unknown> = {}) =>
  machine({ Each: { Type: 'Map', ItemsPath: '$.items', ItemProcessor: processor, End: true, ...more } });
const distributed = (
  processor: Record<string, unknown>,
  more: Record<string, unknown> = {},
  type = 'STANDARD',
) => each({ ...processor, ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: type } }, more);

describe('a Parallel state', () => {
  it('gives each branch the same input and collects the outputs in order', async () => {
    harness.functions.slow = async (payload) => {
      await sleep(harness.clock, 1000, never);
      return { slow: payload };
    };
    harness.functions.fast = (payload) => ({ fast: payload });
    const both = {
      Type: 'Parallel',
      Parameters: { 'n.$': '$.n' },
      Branches: [machine({ A: invoke('slow') }), machine({ B: invoke('fast') })],
      ResultSelector: { 'all.$': '$' },
      ResultPath: '$.result',
      End: true,
    };
    expect(await harness.output(machine({ Both: both }), { n: 1, m: 2 })).toEqual({
      n: 1,
      m: 2,
      result: { all: [{ slow: { n: 1 } }, { fast: { n: 1 } }] },
    });
  });

  it('stops its other branches when one fails: no retry, wait or next state goes on', async () => {
    let retried = 0;
    harness.functions.fails = async () => {
      await sleep(harness.clock, 2500, never);
      return thrown('Broken', 'no');
    };
    harness.functions.retried = () => {
      retried += 1;
      return thrown('Busy', '');
    };
    harness.functions.looped = async () => {
      await sleep(harness.clock, 1000, never);
      return {};
    };
    const retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, BackoffRate: 1, MaxAttempts: 99 }];
    const definition = machine({
      All: {
        Type: 'Parallel',
        Branches: [
          machine({ A: invoke('fails') }),
          machine({ B: invoke('retried', { Retry: retry }) }),
          machine({ C: invoke('looped', { Next: 'C' }) }),
          machine({ D: { Type: 'Wait', Seconds: 86_400, End: true } }),
        ],
        Catch: [{ ErrorEquals: ['Broken'], Next: 'Later', ResultPath: '$.error' }],
        End: true,
      },
      Later: { Type: 'Wait', Seconds: 60, End: true },
    });
    const record = await harness.run(definition, { a: 1 });
    expect(JSON.parse(record.output ?? '')).toMatchObject({ a: 1, error: { Error: 'Broken' } });
    expect((record.stoppedAt ?? 0) - record.startedAt).toBe(62_500);
    expect(retried).toBe(3);
    expect(harness.calls.filter((call) => call.functionArn === functionArn('looped'))).toHaveLength(3);
  });

  it('is retried as a whole', async () => {
    let attempts = 0;
    harness.functions.f = () => {
      attempts += 1;
      return attempts < 3 ? thrown('Busy', '') : attempts;
    };
    const state = {
      Type: 'Parallel',
      Branches: [machine({ A: invoke('f') })],
      Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2 }],
      End: true,
    };
    expect(await harness.output(machine({ P: state }))).toEqual([3]);
  });
});

describe('an inline Map', () => {
  it('runs at most MaxConcurrency iterations and keeps the order of the items', async () => {
    let running = 0;
    let most = 0;
    harness.functions.f = async (payload) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(harness.clock, 100 - Number(payload) * 10, never);
      running -= 1;
      return payload;
    };
    const items = [0, 1, 2, 3, 4, 5, 6, 7];
    const definition = each(machine({ F: invoke('f') }), { MaxConcurrencyPath: '$.limit' });
    expect(await harness.output(definition, { items, limit: 3 })).toEqual(items);
    expect(most).toBe(3);
  });

  it('selects the input of each iteration, with index and value of its item', async () => {
    const selector = {
      'index.$': '$$.Map.Item.Index',
      'value.$': '$$.Map.Item.Value',
      'all.$': '$.suffix',
      'text.$': "States.Format('{}-{}', $$.Map.Item.Index, $.suffix)",
    };
    const definition = each(machine({ P: { Type: 'Pass', End: true } }), { ItemSelector: selector });
    expect(await harness.output(definition, { items: ['a', { b: 1 }], suffix: 'x' })).toEqual([
      { index: 0, value: 'a', all: 'x', text: '0-x' },
      { index: 1, value: { b: 1 }, all: 'x', text: '1-x' },
    ]);
  });

  it('starts nothing more once an iteration has failed', async () => {
    const seen: Json[] = [];
    harness.functions.f = (payload) => {
      seen.push(payload);
      return payload === 2 ? thrown('Broken', '') : payload;
    };
    const definition = machine({
      Each: {
        Type: 'Map',
        ItemsPath: '$.items',
        MaxConcurrency: 1,
        ItemProcessor: machine({ F: invoke('f') }),
        Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'After' }],
        End: true,
      },
      After: { Type: 'Wait', Seconds: 10, End: true },
    });
    expect(await harness.output(definition, { items: [1, 2, 3, 4] })).toMatchObject({ Error: 'Broken' });
    expect(seen).toEqual([1, 2]);
  });

  it('runs at most 40 iterations when no limit is given, and none for no items', async () => {
    let running = 0;
    let most = 0;
    harness.functions.f = async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(harness.clock, 10, never);
      running -= 1;
      return 0;
    };
    await harness.output(each(machine({ F: invoke('f') })), { items: Array.from({ length: 100 }, () => 0) });
    expect(most).toBe(40);
    expect(await harness.output(each(machine({ F: invoke('f') })), { items: [] })).toEqual([]);
  });

  it('may not have more than 256 KiB of results, even where they are dropped', async () => {
    harness.functions.f = () => 'x'.repeat(100_000);
    const definition = each(machine({ F: invoke('f') }), { ResultPath: null });
    expect(await harness.run(definition, { items: [1, 2] })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await harness.run(definition, { items: [1, 2, 3] })).toMatchObject({
      error: 'States.DataLimitExceeded',
    });
  });

  it('needs an array', async () => {
    const definition = each(machine({ P: { Type: 'Pass', End: true } }));
    expect(await harness.run(definition, { items: 'abc' })).toMatchObject({ error: 'States.Runtime' });
  });
});

describe('a distributed Map', () => {
  const reader = (InputType: string, more = {}) => ({
    Resource: 'arn:aws:states:::s3:getObject',
    ReaderConfig: { InputType, ...more },
    Parameters: { 'Bucket.$': '$.bucket', Key: 'plan' },
  });

  it('reads its items from an object and runs a child execution for each', async () => {
    harness.objects['b/plan'] = '[{"n":1},{"n":2}]';
    const look = { Type: 'Pass', Parameters: { 'in.$': '$', 'context.$': '$$' }, End: true };
    const definition = distributed(machine({ Look: look }), {
      ItemsPath: undefined,
      ItemReader: reader('JSON'),
      ItemSelector: { 'n.$': '$$.Map.Item.Value.n', 'i.$': '$$.Map.Item.Index' },
      Label: 'chunks',
    });
    const output = await harness.output(definition, { bucket: 'b' });
    expect(output).toMatchObject([
      {
        in: { n: 1, i: 0 },
        context: {
          Execution: {
            Id: expect.stringMatching(
              /^arn:aws:states:us-east-1:\d+:execution:machine\/chunks:[\da-f-]{36}$/,
            ),
            Input: { n: 1, i: 0 },
          },
          StateMachine: { Id: `${machineArn}/chunks`, Name: 'machine/chunks' },
        },
      },
      { in: { n: 2, i: 1 } },
    ]);
    expect(harness.authorizations).toContainEqual({ action: 'states:StartExecution', resource: machineArn });
  });

  it('reads JSON lines, and no more items than MaxItems', async () => {
    harness.objects['b/plan'] = '{"n":1}\n{"n":2}\n\n{"n":3}\n';
    const definition = distributed(machine({ P: { Type: 'Pass', End: true } }), {
      ItemsPath: undefined,
      ItemReader: reader('JSONL', { MaxItems: 2 }),
    });
    expect(await harness.output(definition, { bucket: 'b' })).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it.each([
    ['no object', {}],
    ['no array', { 'b/plan': '{}' }],
    ['no JSON', { 'b/plan': '[' }],
  ])('fails as States.ItemReaderFailed with %s, which can be caught', async (_, objects) => {
    harness.objects = objects;
    const definition = machine({
      M: {
        Type: 'Map',
        ItemReader: reader('JSON'),
        ItemProcessor: {
          ...machine({ P: { Type: 'Pass', End: true } }),
          ProcessorConfig: { Mode: 'DISTRIBUTED' },
        },
        Catch: [{ ErrorEquals: ['States.ItemReaderFailed'], Next: 'Caught' }],
        End: true,
      },
      Caught: { Type: 'Pass', Result: 'caught', End: true },
    });
    expect(await harness.output(definition, { bucket: 'b' })).toBe('caught');
  });

  it('fails when one child fails, starts no more of them, and says which it was', async () => {
    const seen: Json[] = [];
    harness.functions.f = (payload) => {
      seen.push(payload);
      return payload === 2 ? thrown('Broken', 'why') : payload;
    };
    const definition = distributed(machine({ F: invoke('f') }), { MaxConcurrency: 1 });
    const record = await harness.run(definition, { items: [1, 2, 3, 4] });
    expect(record).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
      cause: 'The specified tolerated failure threshold was exceeded',
    });
    expect(seen).toEqual([1, 2]);
    expect(harness.reports).toEqual([expect.stringContaining('machine/Each:')]);
    expect(harness.reports[0]).toContain('Broken');
    expect(harness.service.mapRuns(record.executionArn)).toMatchObject([
      { status: 'FAILED', total: 4, running: 0, succeeded: 1, failed: 1, aborted: 0 },
    ]);
  });

  it('runs no more children at a time than the runtime is told to', async () => {
    await harness.dispose();
    harness = new Harness({ distributedConcurrency: 4 });
    let running = 0;
    let most = 0;
    harness.functions.f = async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(harness.clock, 10, never);
      running -= 1;
      return 0;
    };
    const items = Array.from({ length: 50 }, () => 0);
    await harness.output(distributed(machine({ F: invoke('f') })), { items });
    expect(most).toBe(4);
  });

  it('ends EXPRESS children after five minutes', async () => {
    const wait = machine({ W: { Type: 'Wait', Seconds: 301, End: true } });
    const record = await harness.run(distributed(wait, {}, 'EXPRESS'), { items: [1] });
    expect(record.error).toBe('States.ExceedToleratedFailureThreshold');
    expect((record.stoppedAt ?? 0) - record.startedAt).toBe(300_000);
    expect(await harness.output(distributed(wait), { items: [1] })).toEqual([1]);
  });

  it('needs leave to start executions of its own state machine', async () => {
    harness.allow = ({ action }) => {
      if (action === 'sts:AssumeRole') return;
      throw new AwsError('AccessDenied', `not authorized to perform: ${action}`, 403);
    };
    const definition = distributed(machine({ P: { Type: 'Pass', End: true } }));
    expect(await harness.run(definition, { items: [1] })).toMatchObject({
      error: 'States.Permissions',
      cause: expect.stringContaining('states:StartExecution'),
    });
  });

  it('gives ten thousand children their turn without holding on to them', async () => {
    const items = Array.from({ length: 10_000 }, (_, index) => index);
    const double = machine({
      D: { Type: 'Pass', Parameters: { 'x.$': 'States.MathAdd($, $)' }, OutputPath: '$.x', End: true },
    });
    const output = await harness.output(distributed(double), { items });
    expect(output).toEqual(items.map((item) => item * 2));
  });
});
