import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sleep } from '../../../local/scheduler/clock.ts';
import { isJsonObject, type Json } from '../../../local/step-functions/json.ts';
import { functionArn, Harness, invoke, machine, thrown } from './harness.ts';

const never = new AbortController().signal;
const retry = [
  {
    ErrorEquals: ['Lambda.TooManyRequestsException', 'ChunkInterrupted'],
    IntervalSeconds: 2,
    MaxAttempts: 3,
  },
];

const lane = (name: string) =>
  machine({
    [`Hold ${name}`]: invoke('hold', {
      Parameters: { FunctionName: functionArn('hold'), Payload: { 'shard.$': '$.shard', lane: name } },
      ResultSelector: { 'outcome.$': '$.Payload.outcome' },
      ResultPath: '$.held',
      OutputPath: '$',
      Next: `Held ${name}?`,
    }),
    [`Held ${name}?`]: {
      Type: 'Choice',
      Choices: [{ Variable: '$.held.outcome', StringEquals: 'again', Next: `Hold ${name}` }],
      Default: `Done ${name}`,
    },
    [`Done ${name}`]: { Type: 'Succeed' },
  });

const work = machine({
  'Dump schema': invoke('dump', { Next: 'Plan chunks', ResultPath: '$.schema', OutputPath: '$' }),
  'Plan chunks': invoke('planChunks', { Next: 'Chunks', ResultPath: '$.plan', OutputPath: '$' }),
  Chunks: {
    Type: 'Map',
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSON' },
      Parameters: { 'Bucket.$': '$.plan.value.bucket', 'Key.$': '$.plan.value.key' },
    },
    ItemSelector: { 'shard.$': '$.shard', 'chunk.$': '$$.Map.Item.Value' },
    MaxConcurrency: 3,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      ...machine({
        Chunk: invoke('chunk', { Retry: retry, Next: 'Verify' }),
        Verify: invoke('verify', { Retry: retry }),
      }),
    },
    ResultPath: null,
    Next: 'Release',
  },
  Release: invoke('release'),
});

const workflow = machine(
  {
    Plan: invoke('plan', {
      Next: 'Check key',
      ResultPath: '$.planned',
      OutputPath: '$',
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Conclude' }],
    }),
    'Check key': {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:kms:generateDataKeyWithoutPlaintext',
      Parameters: { KeyId: 'key', KeySpec: 'AES_256' },
      ResultPath: null,
      Next: 'Shards',
    },
    Shards: {
      Type: 'Map',
      ItemsPath: '$.planned.value.shards',
      MaxConcurrency: 2,
      ItemSelector: { 'shard.$': '$$.Map.Item.Value', 'backupId.$': '$$.Execution.Name' },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'INLINE' },
        ...machine({
          Shard: {
            Type: 'Parallel',
            Branches: [lane('A'), lane('B'), work],
            ResultPath: null,
            Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Release failed' }],
            End: true,
          },
          'Release failed': invoke('release', { ResultPath: null, OutputPath: '$', Next: 'Shard failed' }),
          'Shard failed': { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
        }),
      },
      ResultPath: null,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Conclude' }],
      Next: 'Commit',
    },
    Commit: invoke('commit'),
    Conclude: invoke('conclude', { Next: 'Failed' }),
    Failed: { Type: 'Fail', Error: 'BackupFailed' },
  },
  { TimeoutSeconds: 86_400 },
);

let harness: Harness;
let released: Set<unknown>;
let holds: string[];
let chunks: Json[];
beforeEach(() => {
  harness = new Harness();
  released = new Set();
  holds = [];
  chunks = [];
  const shardOf = (payload: Json) => (isJsonObject(payload) ? payload.shard : undefined);
  Object.assign(harness.functions, {
    plan: () => ({ shards: ['shard-a', 'shard-b'] }),
    hold: async (payload: Json) => {
      holds.push(JSON.stringify(payload));
      for (let second = 0; second < 5; second += 1) {
        if (released.has(shardOf(payload))) return { outcome: 'released' };
        await sleep(harness.clock, 1000, never);
      }
      return { outcome: 'again' };
    },
    dump: async () => {
      await sleep(harness.clock, 7000, never);
      return {};
    },
    planChunks: (payload: Json) => ({ bucket: 'backups', key: String(shardOf(payload)) }),
    chunk: async (payload: Json) => {
      chunks.push(payload);
      await sleep(harness.clock, 2000, never);
      return payload;
    },
    verify: (payload: Json) => payload,
    release: (payload: Json) => {
      released.add(shardOf(payload));
      return {};
    },
    commit: () => 'committed',
    conclude: (payload: Json) => payload,
  });
  for (const shard of ['shard-a', 'shard-b']) {
    harness.objects[`backups/${shard}`] = JSON.stringify(Array.from({ length: 10 }, (_, n) => ({ n })));
  }
});
afterEach(() => harness.dispose());

describe('a workflow shaped like the backup', () => {
  it('holds in two lanes that loop while the chunks run, and ends when all is released', async () => {
    expect(await harness.output(workflow)).toBe('committed');
    expect(chunks).toHaveLength(20);
    expect(holds.length).toBeGreaterThan(8);
    expect(harness.awsCalls).toMatchObject([{ operation: 'GenerateDataKeyWithoutPlaintext' }]);
  });

  it('retries an interrupted chunk and goes on', async () => {
    let interrupted = false;
    const chunk = harness.functions.chunk;
    harness.functions.chunk = (payload, call) => {
      if (!interrupted) {
        interrupted = true;
        return thrown('ChunkInterrupted', 'killed');
      }
      return chunk?.(payload, call) ?? null;
    };
    expect(await harness.output(workflow)).toBe('committed');
    expect(chunks).toHaveLength(20);
  });

  it('stops lanes and chunks of all shards when a chunk fails for good, releases and concludes', async () => {
    harness.functions.verify = (payload) =>
      JSON.stringify(payload).includes('"shard-a","chunk":{"n":4}') ? thrown('Corrupt', 'bit 7') : payload;
    const record = await harness.run(workflow);
    expect(record).toMatchObject({ status: 'FAILED', error: 'BackupFailed' });
    expect(harness.reports[0]).toContain('Corrupt');
    const concluded = harness.calls.at(-1);
    expect(concluded).toMatchObject({
      functionArn: functionArn('conclude'),
      payload: { error: { Error: 'States.ExceedToleratedFailureThreshold' } },
    });
    const before = harness.calls.length;
    await harness.clock.advance(60_000);
    expect(harness.calls).toHaveLength(before);
  });
});
