import { CliError } from '../cli-error.ts';
import type { RecoveryApi } from '../recovery-api.ts';

/** The id that was given, or that of the latest complete backup for `latest`. */
export async function chooseBackup(api: RecoveryApi, wanted: string): Promise<string> {
  if (wanted !== 'latest') return wanted;
  const [latest] = await api.backups(1, 'completed');
  if (latest === undefined) {
    throw new CliError('failed', 'There is no complete backup yet: `npx mainstay backup` takes one.');
  }
  return latest.id;
}
