import { Problem } from '../../shared/problem.ts';
import type { RestoreRequest } from '../restore/requests.ts';

/**
 * Refuses what makes no sense for an import: it is restored as the one object that it was.
 * @throws Problem 422 naming the fields.
 */
export function refuseForImports({
  shards,
  tables,
  database,
  mode,
  components,
  files,
}: Pick<RestoreRequest, 'shards' | 'tables' | 'database' | 'mode' | 'components' | 'files'>): void {
  const asked = { shards, tables, database, components, files, ...(mode === 'replace' && { mode }) };
  const errors = Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => ({ field: `body.${name}`, message: 'does not go with an import' }));
  if (errors.length === 0) return;
  throw new Problem(
    'unprocessable-request',
    'An import is restored as the object that was uploaded: it has no shards, tables or databases of its own.',
    { errors },
  );
}
