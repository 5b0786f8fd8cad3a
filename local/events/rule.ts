import * as z from 'zod';
import { readSchedule, type Timetable } from '../../functions/shared/schedules/schedule-expression.ts';
import { parsePath } from '../step-functions/json-path.ts';
import { compilePattern, type EventMatcher } from './event-pattern.ts';
import { targetInputSchema } from './target-input.ts';

export const targetSchema = targetInputSchema.extend({
  Id: z.string().min(1),
  Arn: z.string().startsWith('arn:'),
  RoleArn: z.string().startsWith('arn:').optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.int().min(0).max(185).default(185),
      MaximumEventAgeInSeconds: z.int().min(60).max(86_400).default(86_400),
    })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string().startsWith('arn:') }).optional(),
});
const definitionSchema = z.strictObject({
  arn: z.string().startsWith('arn:'),
  name: z.string().min(1).max(64),
  busName: z.string().min(1).default('default'),
  description: z.string().optional(),
  pattern: z.record(z.string(), z.unknown()).optional(),
  schedule: z.string().optional(),
  state: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  targets: z.array(z.strictObject(targetSchema.shape)).default([]),
});

/** A rule as its template has it; `targets` as in `AWS::Events::Rule`. */
export type RuleDefinition = z.input<typeof definitionSchema>;
export type RuleTarget = z.infer<typeof targetSchema>;

export interface Rule extends z.infer<typeof definitionSchema> {
  matches: EventMatcher | undefined;
  timetable: Timetable | undefined;
}

/**
 * Reads a rule.
 *
 * @param anchor where its `rate` begins, in ms since the epoch.
 * @throws Error naming what is wrong, or not supported: for example parameters of targets of other kinds.
 */
export function readRule(definition: RuleDefinition, anchor: number): Rule {
  const result = definitionSchema.safeParse(definition);
  if (!result.success) {
    throw new Error(`The rule ${definition.name} is not supported: ${z.prettifyError(result.error)}`);
  }
  const rule = result.data;
  if ((rule.pattern === undefined) === (rule.schedule === undefined)) {
    throw new Error(`The rule ${rule.name} needs either a pattern or a schedule.`);
  }
  if (rule.schedule !== undefined && (rule.busName !== 'default' || rule.schedule.startsWith('at('))) {
    throw new Error(`The rule ${rule.name} has a schedule that only the default bus, or no bus, can have.`);
  }
  for (const target of rule.targets) {
    const paths = Object.values(target.InputTransformer?.InputPathsMap ?? {});
    for (const path of target.InputPath === undefined ? paths : [...paths, target.InputPath]) parsePath(path);
  }
  return {
    ...rule,
    matches: rule.pattern === undefined ? undefined : compilePattern(rule.pattern),
    timetable: rule.schedule === undefined ? undefined : readSchedule(rule.schedule, anchor),
  };
}
