import { describe, expect, it } from '@jest/globals';
import { readDefinition } from '../../../local/step-functions/validate.ts';
import { functionArn, invoke, machine } from './harness.ts';

const read = (definition: unknown) => () => readDefinition(JSON.stringify(definition));
const task = (more: Record<string, unknown>) =>
  machine({ Work: { Type: 'Task', Resource: functionArn('f'), End: true, ...more } });
const integration = (resource: string) => task({ Resource: `arn:aws:states:::${resource}` });
const inner = machine({ Inner: { Type: 'Pass', End: true } });
const distributed = (more: Record<string, unknown>) =>
  machine({
    Chunks: {
      Type: 'Map',
      End: true,
      ItemProcessor: { ...inner, ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } },
      ...more,
    },
  });
const reader = {
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: 'JSON' },
  Parameters: { Bucket: 'b', 'Key.$': '$.key' },
};

describe('a definition', () => {
  it('is taken with every kind of state', () => {
    const definition = machine({
      Call: invoke('f', {
        Next: 'Choose',
        TimeoutSeconds: 900,
        Retry: [{ ErrorEquals: ['States.ALL'], JitterStrategy: 'FULL', MaxDelaySeconds: 9 }],
        Catch: [{ ErrorEquals: ['A', 'B'], Next: 'Failed', ResultPath: '$.error' }],
      }),
      Choose: {
        Type: 'Choice',
        Choices: [{ Variable: '$.again', BooleanEquals: true, Next: 'Call' }],
        Default: 'Wait',
      },
      Wait: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Both' },
      Both: { Type: 'Parallel', Branches: [machine({ Left: { Type: 'Succeed' } })], Next: 'Each' },
      Each: { Type: 'Map', ItemProcessor: inner, MaxConcurrency: 2, ItemsPath: '$.x', Next: 'Sdk' },
      Sdk: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:kms:generateDataKeyWithoutPlaintext',
        Parameters: { 'KeyId.$': '$.key', KeySpec: 'AES_256' },
        ResultPath: null,
        End: true,
      },
      Failed: { Type: 'Fail', ErrorPath: "States.Format('{}', $.error.Error)", CausePath: '$.error.Cause' },
    });
    expect(readDefinition(JSON.stringify({ ...definition, TimeoutSeconds: 60 })).timeoutSeconds).toBe(60);
    expect(read(distributed({ ItemReader: reader, Label: 'chunks' }))).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['JSONata for the machine', { ...inner, QueryLanguage: 'JSONata' }, 'query language JSONata'],
    [
      'JSONata for a state',
      task({ QueryLanguage: 'JSONata' }),
      'state Work: QueryLanguage: the query language',
    ],
    ['JSONata fields', task({ Arguments: '{% $x %}' }), 'state Work: Arguments is not supported'],
    ['variables', task({ Assign: { x: 1 } }), 'state Work: Assign is not supported'],
    ['task tokens', integration('lambda:invoke.waitForTaskToken'), '.waitForTaskToken'],
    ['synchronous executions', integration('states:startExecution.sync:2'), '.sync:2'],
    ['unknown integrations', integration('ecs:runTask'), 'integration arn:aws:states:::ecs:runTask'],
    ['unknown SDK services', integration('aws-sdk:glue:startJobRun'), 'aws-sdk:glue:startJobRun'],
    ['inherited names as services', integration('aws-sdk:constructor:x'), 'aws-sdk:constructor:x'],
    ['activities', task({ Resource: 'arn:aws:states:us-east-1:000000000000:activity:a' }), 'activity:a'],
    ['no ARN', task({ Resource: 'f' }), 'is not an ARN'],
    ['heartbeats', task({ HeartbeatSeconds: 5 }), 'HeartbeatSeconds is not supported'],
    ['credentials of other accounts', task({ Credentials: {} }), 'Credentials is not supported'],
    ['the token in the context', task({ Parameters: { 'x.$': '$$.Task.Token' } }), '$$.Task.Token'],
    ['the item outside of ItemSelector', task({ Parameters: { 'x.$': '$$.Map.Item.Value' } }), '$$.Map.Item'],
    ['JSONPath filters', task({ InputPath: '$.a[?(@.b)]' }), 'has a filter'],
    ['unknown functions', task({ Parameters: { 'x.$': 'States.Foo()' } }), 'States.Foo is not supported'],
    ['seeds', task({ Parameters: { 'x.$': 'States.MathRandom(1, 2, 3)' } }), 'States.MathRandom with 3'],
    ['half a function', task({ Parameters: { 'x.$': 'States.Format(' } }), 'not a valid intrinsic function'],
    ['a ResultPath that is no reference', task({ ResultPath: '$.a[*]' }), 'is not a reference path'],
    ['a ResultPath into the context', task({ ResultPath: '$$.a' }), 'cannot be written to'],
    ['ResultWriter', distributed({ ResultWriter: {} }), 'state Chunks: ResultWriter is not supported'],
    ['ItemBatcher', distributed({ ItemBatcher: {} }), 'ItemBatcher is not supported'],
    ['tolerated failures', distributed({ ToleratedFailurePercentage: 5 }), 'ToleratedFailurePercentage'],
    [
      'CSV',
      distributed({ ItemReader: { ...reader, ReaderConfig: { InputType: 'CSV' } } }),
      'InputType CSV is not supported',
    ],
    [
      'listing objects',
      distributed({ ItemReader: { ...reader, Resource: 'arn:aws:states:::s3:listObjectsV2' } }),
      's3:listObjectsV2 is not supported',
    ],
    [
      'an ItemReader inline',
      machine({ M: { Type: 'Map', ItemProcessor: inner, ItemReader: reader, End: true } }),
      'state M: ItemReader needs the mode DISTRIBUTED',
    ],
    [
      'a name used twice',
      machine({ P: { Type: 'Parallel', Branches: [inner, inner], End: true } }),
      'state Inner: its name is used twice',
    ],
    ['a missing target', task({ End: undefined, Next: 'Nowhere' }), 'leads to Nowhere'],
    ['a missing start', { StartAt: 'Nope', States: inner.States }, 'StartAt names Nope'],
    ['no end', task({ End: undefined }), 'either Next or End'],
    ['two ends', task({ Next: 'Work' }), 'either Next or End'],
    [
      'States.ALL beside others',
      task({ Retry: [{ ErrorEquals: ['States.ALL', 'X'] }] }),
      'stand alone and last',
    ],
    ['a wrong type', machine({ X: { Type: 'Loop' } }), 'state X: Type: is of a type that does not exist'],
    ['a wrong value', task({ TimeoutSeconds: 0 }), 'state Work: TimeoutSeconds'],
    [
      'two waits',
      machine({ W: { Type: 'Wait', Seconds: 1, SecondsPath: '$.s', End: true } }),
      'needs one of',
    ],
    [
      'a wrong choice',
      machine({ C: { Type: 'Choice', Choices: [{ Next: 'C' }] } }),
      'state C: a rule has no Variable',
    ],
  ])('with %s is refused by name', (_, definition, reason) => {
    expect(read(definition)).toThrow(reason);
  });

  it('is refused when it is not JSON', () => {
    expect(() => readDefinition('{')).toThrow('the definition is not JSON');
  });

  it('is refused with all reasons at once', () => {
    const definition = machine({
      A: { Type: 'Task', Resource: 'arn:aws:states:::ecs:runTask.sync', Next: 'B' },
      B: { Type: 'Pass', Assign: {}, End: true },
    });
    expect(read(definition)).toThrow(
      expect.objectContaining({
        problems: [
          'state A: .sync (arn:aws:states:::ecs:runTask.sync) is not supported',
          'state B: Assign is not supported',
        ],
      }),
    );
  });
});
