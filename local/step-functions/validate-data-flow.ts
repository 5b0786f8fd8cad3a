import { intrinsicFunctions } from './intrinsic-functions.ts';
import { type Expression, parseIntrinsic } from './intrinsic-syntax.ts';
import { isJsonObject, type Json } from './json.ts';
import { type JsonPath, parsePath } from './json-path.ts';

/** What of the context object there is locally; `Map.Item` only where items are selected. */
const contextPaths: readonly string[] = [
  'Execution.Id',
  'Execution.Input',
  'Execution.Name',
  'Execution.RoleArn',
  'Execution.StartTime',
  'Execution.RedriveCount',
  'State.EnteredTime',
  'State.Name',
  'State.RetryCount',
  'StateMachine.Id',
  'StateMachine.Name',
];
const itemPaths: readonly string[] = ['Map.Item.Index', 'Map.Item.Value'];

/** Checks a path field; undefined and null are fine. @throws Error naming what is wrong. */
export function checkPath(value: unknown, allow: { reference: boolean; context: boolean }): void {
  if (typeof value !== 'string') return;
  const path = parsePath(value);
  if (path.ofContext && !allow.context) throw new Error(`${value} cannot be written to`);
  if (allow.reference && !path.reference) throw new Error(`${value} is not a reference path`);
  checkContext(path, false);
}

/** Checks all `….$` members of a template. @throws Error naming what is wrong. */
export function checkTemplate(template: Json, selectsItems: boolean): void {
  if (Array.isArray(template)) for (const element of template) checkTemplate(element, selectsItems);
  if (!isJsonObject(template)) return;
  for (const [key, value] of Object.entries(template)) {
    if (!key.endsWith('.$')) checkTemplate(value, selectsItems);
    else if (typeof value !== 'string') throw new Error(`${key} needs a path or an intrinsic function`);
    else checkSource(value, selectsItems);
  }
}

/** Checks a field that takes a path or an intrinsic function. @throws Error naming what is wrong. */
export function checkTemplateOrIntrinsic(value: unknown): void {
  if (typeof value === 'string') checkSource(value, false);
}

function checkSource(source: string, selectsItems: boolean): void {
  if (source.startsWith('$')) checkContext(parsePath(source), selectsItems);
  else checkExpression(parseIntrinsic(source), selectsItems);
}

function checkExpression(expression: Expression, selectsItems: boolean): void {
  if (expression.kind === 'path') checkContext(expression.path, selectsItems);
  if (expression.kind !== 'call') return;
  const { name, args } = expression;
  for (const argument of args) checkExpression(argument, selectsItems);
  if (name === 'States.Format' && args.length > 0) return;
  const intrinsic = Object.hasOwn(intrinsicFunctions, name) ? intrinsicFunctions[name] : undefined;
  if (intrinsic === undefined) throw new Error(`the intrinsic function ${name} is not supported`);
  if (args.length < intrinsic.minArgs || args.length > intrinsic.maxArgs) {
    throw new Error(`${name} with ${args.length} arguments is not supported`);
  }
}

function checkContext(path: JsonPath, selectsItems: boolean): void {
  if (!path.ofContext || path.segments.length === 0) return;
  const names: string[] = [];
  for (const segment of path.segments) {
    if (segment.kind !== 'name') break;
    names.push(segment.name);
  }
  const asked = names.join('.');
  const known = selectsItems ? [...contextPaths, ...itemPaths] : contextPaths;
  const found = known.some(
    (each) => each === asked || asked.startsWith(`${each}.`) || each.startsWith(`${asked}.`),
  );
  if (!found) throw new Error(`${path.source} of the context object is not available`);
}
