import * as z from 'zod';
import { type Json, parseJson } from '../step-functions/json.ts';
import { evaluatePath, parsePath } from '../step-functions/json-path.ts';
import type { BusEvent } from './event.ts';

export const targetInputSchema = z.object({
  /** JSON text that the target gets instead of the event. */
  Input: z.string().optional(),
  /** The part of the event that the target gets. */
  InputPath: z.string().startsWith('$').optional(),
  InputTransformer: z
    .strictObject({
      InputPathsMap: z.record(z.string().regex(/^[A-Za-z0-9_-]+$/), z.string().startsWith('$')).default({}),
      InputTemplate: z.string().min(1),
    })
    .optional(),
});
export type TargetInput = z.infer<typeof targetInputSchema>;

/** What a rule's target gets. @throws Error when a template does not become JSON. */
export function targetInput(target: TargetInput, event: BusEvent, rule: { name: string; arn: string }): Json {
  const source = parseJson(JSON.stringify(event));
  if (target.Input !== undefined) return parseJson(target.Input);
  if (target.InputPath !== undefined) return at(target.InputPath, source) ?? null;
  if (target.InputTransformer === undefined) return source;
  const { InputPathsMap, InputTemplate } = target.InputTransformer;
  const variables = new Map<string, Json | undefined>([
    ['aws.events.rule-arn', rule.arn],
    ['aws.events.rule-name', rule.name],
    ['aws.events.event.ingestion-time', event.time],
    ['aws.events.event.json', source],
    ['aws.events.event', without(source, 'detail')],
    ...Object.entries(InputPathsMap).map(([name, path]): [string, Json | undefined] => [
      name,
      at(path, source),
    ]),
  ]);
  return parseJson(fill(InputTemplate, variables));
}

function at(path: string, event: Json): Json | undefined {
  return evaluatePath(parsePath(path), event);
}

function without(event: Json, member: string): Json {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return event;
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== member));
}

/** Puts variables where `<name>` stands: their text inside of quotes, their JSON elsewhere. */
function fill(template: string, variables: ReadonlyMap<string, Json | undefined>): string {
  let quoted = false;
  return template.replaceAll(/\\.|"|<([A-Za-z0-9_.-]+)>/gs, (match, name: string | undefined) => {
    if (match === '"') quoted = !quoted;
    if (name === undefined || !variables.has(name)) return match;
    const value = variables.get(name);
    if (!quoted) return JSON.stringify(value ?? null);
    const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
    return JSON.stringify(text).slice(1, -1);
  });
}
