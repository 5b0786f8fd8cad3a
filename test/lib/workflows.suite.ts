import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { contracts } from '../../functions/contracts.ts';
import { ofType, synthesize } from './support.ts';
import { flatten, functionsOf, statementsOf } from './template.ts';

const { platform } = synthesize('local');
const functions = functionsOf(platform.resources);

const stateSchema = z.looseObject({
  Type: z.string(),
  Resource: z.string().optional(),
  Parameters: z.record(z.string(), z.unknown()).optional(),
  TimeoutSeconds: z.number().optional(),
  Retry: z.array(z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number() })).default([]),
});
type State = z.output<typeof stateSchema>;

const machines = ofType(platform, 'AWS::StepFunctions::StateMachine').map(([, { Properties }]) => Properties);
const workflows = machines.map(({ DefinitionString }) =>
  z.looseObject({ TimeoutSeconds: z.number() }).parse(JSON.parse(flatten(DefinitionString))),
);
const states = workflows.flatMap((workflow) => statesIn(workflow));

/** All states of a definition, those of branches and maps included. */
function statesIn(value: unknown): [string, State][] {
  if (typeof value !== 'object' || value === null) return [];
  const own = z.object({ States: z.record(z.string(), stateSchema) }).safeParse(value);
  return [
    ...(own.success ? Object.entries(own.data.States) : []),
    ...Object.values(value).flatMap((member) => statesIn(member)),
  ];
}

/** The states that invoke functions, with the function's name in the contract. */
const invocations = states
  .filter(([, { Resource }]) => Resource?.endsWith(':lambda:invoke'))
  .map(([name, state]) => {
    const id = /^<(\w+)\.Arn>$/.exec(String(state.Parameters?.FunctionName))?.[1];
    const fn = [...functions].find(([, found]) => found.id === id)?.[0] ?? 'unknown';
    return { name, state, fn };
  });

describe('A workflow', () => {
  it('is standard, traced, and logs every transition without the data in it', () => {
    expect(machines).toHaveLength(13);
    for (const machine of machines) {
      expect(machine).toMatchObject({
        StateMachineType: 'STANDARD',
        TracingConfiguration: { Enabled: true },
        LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
      });
    }
  });

  it('ends at last', () => {
    const hour = 3_600;
    expect(workflows.map(({ TimeoutSeconds }) => TimeoutSeconds / hour)).toEqual([
      ...[8 * 24, 24, 24, 24],
      // A drill is a verification and a restore at most, and what lies between them.
      50,
      ...[24, 24, 1, 24, 24],
      // Of a failover.
      1,
      // Of a purge.
      12,
      // Of a warming.
      2,
    ]);
  });

  it('is written with JSONPath throughout', () => {
    expect(JSON.stringify(workflows)).not.toContain('QueryLanguage');
  });

  it('waits for each task longer than its function takes, and not for ever', () => {
    const tasks = states.filter(([, { Type }]) => Type === 'Task');
    expect(tasks.filter(([, { TimeoutSeconds }]) => TimeoutSeconds === undefined)).toEqual([]);
    for (const { name, state, fn } of invocations) {
      // An old writer that is fenced late is no reason to be without a new one meanwhile.
      if (name === 'Fence') continue;
      const timeout = functions.get(fn)?.properties.Timeout;
      expect(state.TimeoutSeconds).toBeGreaterThan(Number(timeout));
    }
  });

  it('goes only to states that exist', () => {
    const check = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const machine = z
        .object({ StartAt: z.string(), States: z.record(z.string(), z.unknown()) })
        .safeParse(value);
      if (machine.success) {
        const { StartAt, States } = machine.data;
        const targets = [StartAt, ...Object.values(States).flatMap(targetsOf)];
        expect(targets.filter((target) => !(target in States))).toEqual([]);
        expect(Object.keys(States).filter((name) => !targets.includes(name))).toEqual([]);
      }
      for (const member of Object.values(value)) check(member);
    };
    check(workflows);
  });

  it.each(invocations.filter(({ state }) => !passesAll(state)))(
    'gives $fn what its contract asks for: $name',
    ({ state, fn }) => {
      expect(eventsOf(fn)).toContainEqual(membersOf(state.Parameters?.Payload));
    },
  );

  it('gives each item of a Map what its first function asks for', () => {
    for (const [map, fn] of [
      ['Chunks', 'recovery/chunk-pipeline'],
      ['Objects', 'recovery/verify-chunk'],
      ['AllObjects', 'recovery/reencrypt-objects'],
      ['LoadRows', 'recovery/restore-rows'],
      ['CompareRows', 'recovery/restore-rows'],
      ['RestoreSegments', 'recovery/restore-import'],
    ] as const) {
      const selector = states.find(([name]) => name === map)?.[1].ItemSelector;
      expect(eventsOf(fn)).toContainEqual(membersOf(selector));
    }
  });

  it('passes a state on as it is only where the function expects just that', () => {
    const passing = invocations.filter(({ state }) => passesAll(state)).map(({ name }) => name);
    expect(passing.sort()).toEqual([
      'ChunkPipeline',
      'CompareRowsItem',
      'ConcludeVerification',
      'CopyFiles',
      'LoadRowsItem',
      'ReencryptObjects',
      'ReleaseAfterFailure',
      'RestoreFilesItem',
      'RestoreSegment',
      'VerifyChunk',
      'VerifyFiles',
      'VerifyIndex',
      'VerifyObjects',
    ]);
  });

  it('tries nothing again without a bound', () => {
    for (const [, { Retry }] of states) {
      for (const { MaxAttempts } of Retry) expect(MaxAttempts).toBeLessThanOrEqual(5);
    }
  });

  it('never starts a holder of the snapshot twice by itself, unless Lambda had no room to start it once', () => {
    const holders = invocations.filter(({ fn }) => fn === 'recovery/hold-snapshot');
    expect(holders.map(({ name }) => name)).toEqual(['HoldSnapshotA', 'HoldSnapshotB']);
    for (const { state } of holders) {
      expect(state.Retry.flatMap(({ ErrorEquals }) => ErrorEquals)).toEqual([
        'Lambda.TooManyRequestsException',
      ]);
    }
  });

  it('may start, watch and stop its own executions where it has a distributed Map, by both forms of their names', () => {
    const granted = statementsOf(platform.resources)
      .filter(({ actions }) => actions.includes('states:StopExecution'))
      .filter(({ role }) => /Workflow/.test(role));
    expect(granted).toHaveLength(7);
    for (const { actions, resources } of granted) {
      expect(actions).toEqual(['states:DescribeExecution', 'states:StopExecution']);
      expect(resources.map((resource) => resource.replace(/^.*:execution:<\w+\.Name>/, '')).sort()).toEqual([
        '/*',
        ':*',
      ]);
    }
  });

  it('lets a restore start backups and see how they end, and stop none', () => {
    const restore = statementsOf(platform.resources).filter(({ role }) => /RestoreWorkflow/.test(role));
    const ofBackups = restore.filter(({ resources }) => resources.join().includes('RecoveryBackupWorkflow'));
    expect(ofBackups.flatMap(({ actions }) => actions).sort()).toEqual([
      'states:DescribeExecution',
      'states:StartExecution',
    ]);
  });

  it('lets a drill start restores and verifications and see how they end, and stop none', () => {
    const drill = statementsOf(platform.resources).filter(({ role }) => /DrillWorkflow/.test(role));
    for (const machine of ['RecoveryRestoreWorkflow', 'RecoveryVerificationWorkflow']) {
      const own = drill.filter(({ resources }) => resources.join().includes(machine));
      expect(own.flatMap(({ actions }) => actions).sort()).toEqual([
        'states:DescribeExecution',
        'states:StartExecution',
      ]);
    }
  });

  it('removes what a drill has restored, and reports it, whatever goes wrong', () => {
    const drill = machines.find(({ DefinitionString }) => flatten(DefinitionString).includes('PlanDrill'));
    const own = z
      .looseObject({ States: z.record(z.string(), z.looseObject({ Type: z.string() })) })
      .parse(JSON.parse(flatten(drill?.DefinitionString)));
    const before = ['PlanDrill', 'StartVerification', 'LookAtVerification', 'RequireIntact'];
    for (const name of [...before, 'StartRestore', 'LookAtRestore', 'Checks']) {
      expect(own.States[name]).toMatchObject({
        Catch: expect.arrayContaining([
          { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'EndWork' },
        ]),
      });
    }
    expect(own.States.EndWork).toMatchObject({ Next: 'RemoveDatabases' });
    for (const name of ['EndWork', 'RemoveDatabases']) {
      expect(own.States[name]).toMatchObject({ Catch: [{ Next: 'NotRemoved' }] });
    }
  });

  it('does not try again what is the same at the next try', () => {
    const chunk = invocations.find(({ fn }) => fn === 'recovery/chunk-pipeline');
    expect(chunk?.state.Retry[0]).toMatchObject({
      ErrorEquals: expect.arrayContaining(['PreflightError', 'SnapshotLostError', 'BackupNotRunningError']),
      MaxAttempts: 0,
    });
  });

  it('copies and verifies at most as many chunks at once as the configuration says', () => {
    const maps = states
      .filter(([, { Type }]) => Type === 'Map')
      .map(([name, state]) => [name, state.MaxConcurrency]);
    expect(Object.fromEntries(maps)).toEqual({
      ...{ Shards: 2, Chunks: 4, Objects: 4, LoadRows: 4, CompareRows: 4, SwapDatabases: 1, Checks: 2 },
      ...{ Clusters: 2, ProtectClusters: 2 },
      ...{ Files: 1, RestoreFiles: 4 },
      ...{ Segments: 4, RestoreSegments: 4, AllObjects: 4 },
    });
  });

  it('keeps nothing of the results of items, whose number has no limit', () => {
    for (const [, state] of states.filter(([name]) =>
      ['Chunks', 'Objects', 'AllObjects', 'Shards', 'LoadRows', 'CompareRows'].includes(name),
    )) {
      expect(state.ResultPath).toBeNull();
    }
    for (const name of [
      ...['VerifyChunk', 'VerifyObjects', 'ReencryptObjects', 'LoadRowsItem', 'CompareRowsItem'],
    ]) {
      expect(states.find(([found]) => found === name)?.[1].OutputPath).toBeNull();
    }
  });
});

function passesAll(state: State): boolean {
  return state.Parameters?.['Payload.$'] === '$';
}

/** The names of a payload template's members. */
function membersOf(template: unknown): string[] {
  const members = z.record(z.string(), z.unknown()).parse(template);
  return Object.keys(members)
    .map((key) => key.replace(/\.\$$/, ''))
    .sort();
}

/** The sets of members that a function's event may have. */
function eventsOf(fn: string): string[][] {
  const contract = contracts
    .flatMap(({ name: capability, functions }) =>
      Object.entries(functions).map(([name, contract]) => [`${capability}/${name}`, contract] as const),
    )
    .find(([name]) => name === fn)?.[1];
  return contract !== undefined && 'event' in contract ? shapesOf(contract.event) : [];
}

/** The names of the states that a state may go to. */
function targetsOf(state: unknown): string[] {
  const { Next, Default, Choices, Catch } = z
    .looseObject({
      Next: z.string().optional(),
      Default: z.string().optional(),
      Choices: z.array(z.looseObject({ Next: z.string() })).default([]),
      Catch: z.array(z.looseObject({ Next: z.string() })).default([]),
    })
    .parse(state);
  return [
    Next,
    Default,
    ...Choices.map((choice) => choice.Next),
    ...Catch.map((caught) => caught.Next),
  ].filter((name) => name !== undefined);
}

/** The sets of members that an event may have, those that may be left out not counted. */
function shapesOf(schema: z.ZodType): string[][] {
  if (schema instanceof z.ZodUnion) {
    return schema.options.flatMap((option) => (option instanceof z.ZodType ? shapesOf(option) : []));
  }
  if (!(schema instanceof z.ZodObject)) return [];
  const required = Object.entries(schema.shape).filter(
    ([, member]) => !z.undefined().safeParse(member).success,
  );
  return [required.map(([name]) => name).sort()];
}
