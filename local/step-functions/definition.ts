import * as z from 'zod';
import type { Json } from './json.ts';
import type { TaskResource } from './task-resource.ts';

const json: z.ZodType<Json> = z.json();
const name = z.string().min(1).max(80);
const path = z.string().startsWith('$');
const nullablePath = path.nullable();
const seconds = z.int().min(1).max(99_999_999);
const errorEquals = z.array(z.string().min(1)).min(1);

/** `Retry` entry; defaults: interval 1 s, 3 attempts, backoff rate 2, no jitter. */
const retrier = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: errorEquals,
  IntervalSeconds: z.int().min(1).max(31_622_400).default(1),
  MaxAttempts: z.int().min(0).max(99_999_999).default(3),
  BackoffRate: z.number().min(1).default(2),
  MaxDelaySeconds: z.int().min(1).max(31_622_400).optional(),
  JitterStrategy: z.enum(['NONE', 'FULL']).default('NONE'),
});
const catcher = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: errorEquals,
  Next: name,
  ResultPath: nullablePath.optional(),
});

const base = {
  Comment: z.string().optional(),
  QueryLanguage: z
    .literal('JSONPath', { error: ({ input }) => `the query language ${input} is not supported` })
    .optional(),
};
const filtered = { ...base, InputPath: nullablePath.optional(), OutputPath: nullablePath.optional() };
const transition = { Next: name.optional(), End: z.literal(true).optional() };
const resulting = { ...filtered, ...transition, ResultPath: nullablePath.optional() };
const fallible = {
  ...resulting,
  ResultSelector: json.optional(),
  Retry: z.array(retrier).default([]),
  Catch: z.array(catcher).default([]),
};

const task = z.strictObject({
  ...fallible,
  Type: z.literal('Task'),
  Resource: z.string(),
  Parameters: json.optional(),
  TimeoutSeconds: seconds.optional(),
  TimeoutSecondsPath: path.optional(),
});
const pass = z.strictObject({
  ...resulting,
  Type: z.literal('Pass'),
  Result: json.optional(),
  Parameters: json.optional(),
});
const wait = z.strictObject({
  ...filtered,
  ...transition,
  Type: z.literal('Wait'),
  Seconds: z.int().min(0).max(99_999_999).optional(),
  Timestamp: z.iso.datetime({ offset: true }).optional(),
  SecondsPath: path.optional(),
  TimestampPath: path.optional(),
});
const choice = z.strictObject({
  ...filtered,
  Type: z.literal('Choice'),
  Choices: z.array(z.record(z.string(), json)).min(1),
  Default: name.optional(),
});
const succeed = z.strictObject({ ...filtered, Type: z.literal('Succeed') });
const fail = z.strictObject({
  ...base,
  Type: z.literal('Fail'),
  Error: z.string().optional(),
  ErrorPath: z.string().optional(),
  Cause: z.string().optional(),
  CausePath: z.string().optional(),
});
const parallel = z.strictObject({
  ...fallible,
  Type: z.literal('Parallel'),
  Parameters: json.optional(),
  Branches: z.array(z.unknown()).min(1),
});
const itemReader = z.strictObject({
  Resource: z.string(),
  Parameters: json,
  ReaderConfig: z.strictObject({
    InputType: z.enum(['JSON', 'JSONL'], {
      error: ({ input }) => `the InputType ${input} is not supported (JSON and JSONL are)`,
    }),
    MaxItems: z.int().min(1).max(100_000_000).optional(),
    MaxItemsPath: path.optional(),
  }),
});
const map = z.strictObject({
  ...fallible,
  Type: z.literal('Map'),
  ItemsPath: path.optional(),
  ItemReader: itemReader.optional(),
  ItemSelector: json.optional(),
  Parameters: json.optional(),
  MaxConcurrency: z.int().min(0).optional(),
  MaxConcurrencyPath: path.optional(),
  ItemProcessor: z.unknown().optional(),
  Iterator: z.unknown().optional(),
  Label: z.string().min(1).max(40).optional(),
});

/** One state as it is written, every field checked; a field that is not listed is not supported. */
export const stateSchema = z.discriminatedUnion(
  'Type',
  [task, pass, wait, choice, succeed, fail, parallel, map],
  { error: () => 'is of a type that does not exist' },
);

const machineFields = {
  Comment: z.string().optional(),
  QueryLanguage: base.QueryLanguage,
  StartAt: name,
  States: z.record(name, z.unknown()),
};
/** A whole definition, its states not yet looked at. */
export const definitionSchema = z.strictObject({
  ...machineFields,
  Version: z.literal('1.0').optional(),
  TimeoutSeconds: seconds.optional(),
});
export const branchSchema = z.strictObject(machineFields);
export const itemProcessorSchema = z.strictObject({
  ...machineFields,
  ProcessorConfig: z
    .strictObject({
      Mode: z.enum(['INLINE', 'DISTRIBUTED']).default('INLINE'),
      ExecutionType: z.enum(['STANDARD', 'EXPRESS']).optional(),
    })
    .optional(),
});

export type Retrier = z.infer<typeof retrier>;
export type Catcher = z.infer<typeof catcher>;
export type ItemReader = z.infer<typeof itemReader>;

interface Named {
  name: string;
}
export type TaskState = z.infer<typeof task> & Named & { task: TaskResource };
export type PassState = z.infer<typeof pass> & Named;
export type WaitState = z.infer<typeof wait> & Named;
export type ChoiceState = z.infer<typeof choice> & Named;
export type SucceedState = z.infer<typeof succeed> & Named;
export type FailState = z.infer<typeof fail> & Named;
export type ParallelState = z.infer<typeof parallel> & Named & { branches: readonly Machine[] };
export type MapState = z.infer<typeof map> &
  Named & { processor: Machine; distributed?: { express: boolean; label: string } };
export type State =
  | TaskState
  | PassState
  | WaitState
  | ChoiceState
  | SucceedState
  | FailState
  | ParallelState
  | MapState;

/** A definition, a branch or an item processor, ready to run. */
export interface Machine {
  startAt: string;
  states: ReadonlyMap<string, State>;
  /** The whole execution's limit; undefined means none. */
  timeoutSeconds?: number;
}
