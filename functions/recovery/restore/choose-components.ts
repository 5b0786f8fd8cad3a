import { Problem } from '../../shared/problem.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { RestoreRecord } from '../catalog/restore-record.ts';
import type { Component } from '../model.ts';

type Asked = {
  readonly [M in 'files' | 'tables' | 'database' | 'mode' | 'shards']?: RestoreRecord[M] | undefined;
} & { readonly components?: readonly Component[] | undefined };

/**
 * What of a backup is restored: what was asked for; where nothing was, the files when it was said which, else the
 * databases.
 *
 * @throws Problem 422 naming the fields that do not go with the backup or with each other.
 */
export function chooseComponents(
  backup: Pick<BackupRecord, 'components' | 'type'>,
  asked: Asked,
): Component[] {
  const chosen = asked.components ?? (asked.files === undefined ? ['database' as const] : ['files' as const]);
  const errors: { field: string; message: string }[] = [];
  const missing = chosen.filter((component) => !backup.components.includes(component));
  if (missing.length > 0) {
    errors.push({
      field: 'body.components',
      message: `the backup has no ${missing.join(' and no ')}; it has ${backup.components.join(', ')}`,
    });
  }
  if (asked.files !== undefined && !chosen.includes('files')) {
    errors.push({ field: 'body.files', message: 'goes with the component `files` alone' });
  }
  if (!chosen.includes('database')) {
    const { shards, tables, database, mode } = asked;
    const given = { shards, tables, database, ...(mode === 'replace' && { mode }) };
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) continue;
      errors.push({ field: `body.${name}`, message: 'goes with the component `database` alone' });
    }
  }
  if (errors.length === 0) return [...chosen];
  throw new Problem('unprocessable-request', 'The backup cannot be restored like this.', { errors });
}
