import type { ConfigurationChange } from './diff.ts';
import { hasRedacted } from './diff.ts';
import { type PlatformTables, tableOf } from './read-tables.ts';

/**
 * A shell script of AWS CLI commands that would bring the configuration back to what it was. What was left out of the
 * backup cannot be brought back by it, and removing what was added since is left to whoever reads it: such commands are
 * comments.
 */
export function applyScript(changes: readonly ConfigurationChange[], tables: PlatformTables): string {
  const head = [
    '#!/bin/sh',
    '# Brings the configuration back to a backup. Read it first: nothing of it has been run.',
    '# Lines that begin with # need a decision, or a value that was left out of the backup.',
    'set -eu',
  ];
  return `${[...head, ...changes.flatMap((change) => ['', ...linesOf(change, tables)])].join('\n')}\n`;
}

function linesOf(change: ConfigurationChange, tables: PlatformTables): string[] {
  const title = `# ${change.kind} ${oneLine(change.name)}: ${change.change} since the backup`;
  const command =
    change.kind === 'parameter'
      ? parameterCommand(change)
      : itemCommand(change, tables[tableOf[change.kind]]);
  return [title, ...command];
}

function parameterCommand({ name, change, backedUp }: ConfigurationChange): string[] {
  if (change === 'added' || backedUp === undefined) {
    return [`# aws ssm delete-parameter --name ${quoted(name)}`];
  }
  // As JSON: a value of its own that begins with `file://` would be read from there.
  const { type, value } = backedUp;
  const input = { Name: name, Type: type, Value: value, Overwrite: true };
  const put = `aws ssm put-parameter --cli-input-json ${quoted(JSON.stringify(input))}`;
  return [hasRedacted(backedUp) ? `# The value was left out: ${put}` : put];
}

function itemCommand({ change, backedUp, present }: ConfigurationChange, table: string): string[] {
  const item = backedUp ?? present ?? {};
  const key = quoted(JSON.stringify(toItem({ pk: item.pk, sk: item.sk })));
  if (change === 'added' || backedUp === undefined) {
    return [`# aws dynamodb delete-item --table-name ${quoted(table)} --key ${key}`];
  }
  if (!hasRedacted(backedUp)) {
    return [
      `aws dynamodb put-item --table-name ${quoted(table)} --item ${quoted(JSON.stringify(toItem(backedUp)))}`,
    ];
  }
  if (present === undefined) {
    return [
      '# It held values that were left out of the backup, and cannot be made again without them: make a new one.',
    ];
  }
  return updateCommand(table, key, backedUp, present);
}

/** Sets what differs and was not left out; what was left out stays as it is now. */
function updateCommand(
  table: string,
  key: string,
  backedUp: Readonly<Record<string, unknown>>,
  present: Readonly<Record<string, unknown>>,
): string[] {
  const changed = Object.entries(backedUp).filter(
    ([name, value]) => !hasRedacted(value) && JSON.stringify(value) !== JSON.stringify(present[name]),
  );
  const added = Object.keys(present).filter((name) => !(name in backedUp));
  if (changed.length + added.length === 0) return ['# Only values that were left out may differ.'];
  const names = Object.fromEntries(
    [...changed.map(([name]) => name), ...added].map((name, n) => [`#n${n}`, name]),
  );
  const values = Object.fromEntries(changed.map(([, value], n) => [`:v${n}`, value]));
  const set = changed.map((_, n) => `#n${n} = :v${n}`).join(', ');
  const remove = added.map((_, n) => `#n${changed.length + n}`).join(', ');
  const expression = [set && `SET ${set}`, remove && `REMOVE ${remove}`]
    .filter((part) => part !== '')
    .join(' ');
  const withValues =
    changed.length === 0 ? '' : ` --expression-attribute-values ${quoted(JSON.stringify(toItem(values)))}`;
  return [
    `aws dynamodb update-item --table-name ${quoted(table)} --key ${key} --update-expression ${quoted(expression)}` +
      ` --expression-attribute-names ${quoted(JSON.stringify(names))}${withValues}`,
  ];
}

/** In DynamoDB's JSON; `{"$set": […]}` is a set again. */
function toItem(item: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, toAttribute(value)]],
    ),
  );
}

function toAttribute(value: unknown): unknown {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(toAttribute) };
  if (typeof value !== 'object' || value === null) return { NULL: true };
  if ('$set' in value && Array.isArray(value.$set)) return { SS: value.$set.map(String) };
  if ('$binary' in value && typeof value.$binary === 'string') return { B: value.$binary };
  return { M: toItem(value) };
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** A comment ends with its line. */
const oneLine = (text: string): string => text.replaceAll(/[\r\n\u2028\u2029]/g, ' ');
