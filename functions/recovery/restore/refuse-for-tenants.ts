import { Problem } from '../../shared/problem.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { RestoreRequest } from './requests.ts';

const byHand =
  'restore into a new database, then copy what is missing: docs/operations/tenant-backups.md says how';

/**
 * Refuses restores of single tenants that would take something from others, or are of nothing.
 *
 * @throws Problem 422 naming the fields.
 */
export function refuseForTenants(
  backup: Pick<BackupRecord, 'tenant' | 'type'>,
  {
    tenant,
    tables,
    mode,
    components,
    files,
  }: Pick<RestoreRequest, 'tenant' | 'tables' | 'mode' | 'components' | 'files'>,
): void {
  if (backup.tenant === undefined && tenant === undefined) return;
  const errors: { field: string; message: string }[] = [];
  if (mode === 'replace') {
    errors.push({
      field: 'body.mode',
      message: `would put one tenant’s rows in the place of everybody’s: ${byHand}`,
    });
  }
  if (tenant !== undefined) {
    if (backup.tenant !== undefined) {
      errors.push({ field: 'body.tenant', message: 'the backup is of one tenant already: leave this out' });
    }
    if (tables !== undefined) {
      errors.push({
        field: 'body.tables',
        message: 'does not go with `tenant`: the tenant’s rows are of all tables',
      });
    }
    if (backup.type === 'import' || files !== undefined || components?.some((each) => each !== 'database')) {
      errors.push({ field: 'body.tenant', message: 'goes with the component `database` alone' });
    }
  }
  if (errors.length === 0) return;
  throw new Problem('unprocessable-request', 'One tenant cannot be restored like this.', { errors });
}
