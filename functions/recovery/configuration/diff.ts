import { canonicalJson } from '../manifest/manifest.ts';
import { type Configuration, type TableName, tableNames } from './document.ts';
import { keyOf } from './read-tables.ts';
import { redacted } from './redact.ts';

/** What differs between a backup and now. */
export interface ConfigurationChange {
  readonly kind: 'parameter' | TableName;
  /** The parameter's name, or the item's keys. */
  readonly name: string;
  /** Since the backup. */
  readonly change: 'added' | 'removed' | 'changed';
  /** As it was when it was backed up, and as it is now; absent where there is none. */
  readonly backedUp?: Readonly<Record<string, unknown>>;
  readonly present?: Readonly<Record<string, unknown>>;
  /** Whether a value was left out of either: it cannot be told whether that has changed. */
  readonly redacted: boolean;
}

/** Members that change by themselves. */
const unimportant = new Set(['version', 'lastModified']);

/** What has been added, removed and changed since a backup. */
export function differences(then: Configuration, now: Configuration): ConfigurationChange[] {
  return [
    ...compare('parameter', then.parameters, now.parameters, ({ name }) => String(name)),
    ...tableNames.flatMap((kind) =>
      compare(kind, then.tables[kind], now.tables[kind], (item) => keyOf(item).replace('\u0000', ' / ')),
    ),
  ];
}

function compare(
  kind: ConfigurationChange['kind'],
  then: readonly Readonly<Record<string, unknown>>[],
  now: readonly Readonly<Record<string, unknown>>[],
  nameOf: (value: Readonly<Record<string, unknown>>) => string,
): ConfigurationChange[] {
  const present = new Map(now.map((value) => [nameOf(value), value]));
  const changes: ConfigurationChange[] = [];
  for (const before of then) {
    const name = nameOf(before);
    const after = present.get(name);
    present.delete(name);
    if (after === undefined) {
      changes.push({ kind, name, change: 'removed', backedUp: before, redacted: hasRedacted(before) });
    } else if (important(kind, before) !== important(kind, after)) {
      const left = hasRedacted(before) || hasRedacted(after);
      changes.push({ kind, name, change: 'changed', backedUp: before, present: after, redacted: left });
    }
  }
  for (const [name, after] of present) {
    changes.push({ kind, name, change: 'added', present: after, redacted: hasRedacted(after) });
  }
  return changes;
}

const important = (kind: ConfigurationChange['kind'], value: Readonly<Record<string, unknown>>): string =>
  canonicalJson(
    kind === 'parameter'
      ? Object.fromEntries(Object.entries(value).filter(([name]) => !unimportant.has(name)))
      : value,
  );

/** Whether a value was left out anywhere in it. */
export const hasRedacted = (value: unknown): boolean => JSON.stringify(value)?.includes(redacted) === true;
