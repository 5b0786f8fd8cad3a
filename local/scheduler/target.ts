/**
 * What kind of target an ARN is.
 *
 * @throws Error for kinds that schedules cannot call locally, naming them.
 */
export function parseTarget(arn: string): 'function' | 'stateMachine' {
  const [, , service, , , kind] = arn.split(':');
  if (service === 'lambda' && kind === 'function') return 'function';
  if (service === 'states' && kind === 'stateMachine') return 'stateMachine';
  throw new Error(
    `The local runtime does not support ${arn} as the target of a schedule: functions and state machines are.`,
  );
}

export interface ScheduleContext {
  scheduleArn: string;
  /** When the schedule was due, in ms since the epoch. */
  scheduledTime: number;
  executionId: string;
  attempt: number;
}

/**
 * What a target gets: the schedule's input with its context attributes filled in, `{}` without input.
 *
 * @returns a value when the input is JSON, else the text.
 */
export function targetPayload(input: string | undefined, context: ScheduleContext): unknown {
  const attributes: Readonly<Record<string, string>> = {
    'schedule-arn': context.scheduleArn,
    'scheduled-time': new Date(context.scheduledTime).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    'execution-id': context.executionId,
    'attempt-number': String(context.attempt),
  };
  const text = (input ?? '{}').replaceAll(
    /<aws\.scheduler\.([a-z-]+)>/g,
    (match, name: string) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined) ?? match,
  );
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
