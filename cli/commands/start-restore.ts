import type { Restore } from '../../functions/recovery/restore/model.ts';
import { confirmReplacement } from '../confirm.ts';
import type { RestoreRequest } from '../recovery-api.ts';
import type { Session, SessionOptions } from '../session.ts';
import { chooseBackup } from './choose-backup.ts';

export interface RestoreOptions extends SessionOptions {
  shard?: string[] | undefined;
  table?: string[] | undefined;
  mode?: 'new' | 'replace' | undefined;
  database?: string | undefined;
  dryRun?: boolean | undefined;
  yes?: boolean | undefined;
  detach?: boolean | undefined;
  resume?: string | undefined;
}

/**
 * Starts or resumes a restore; one that replaces databases is confirmed before.
 *
 * @throws CliError when it is not confirmed: nothing was started.
 */
export async function startRestore(
  session: Session,
  backup: string | undefined,
  options: RestoreOptions,
): Promise<Restore> {
  const { api, io } = session;
  if (options.resume !== undefined) {
    const { mode, shards, dryRun } = await api.restore(options.resume);
    if (mode === 'replace' && !dryRun && options.yes !== true) await confirmReplacement(io, shards);
    return api.resumeRestore(options.resume);
  }
  const backupId = await chooseBackup(session, backup ?? 'latest', options.shard);
  const asks = options.mode === 'replace' && options.dryRun !== true && options.yes !== true;
  if (asks) await confirmReplacement(io, options.shard ?? (await api.backup(backupId)).shards);
  return api.startRestore(requestOf(backupId, options));
}

function requestOf(
  backupId: string,
  { shard, table, mode, database, dryRun }: RestoreOptions,
): RestoreRequest {
  return {
    backupId,
    ...(shard !== undefined && { shards: shard }),
    ...(table !== undefined && { tables: table }),
    ...(mode !== undefined && { mode }),
    ...(database !== undefined && { database }),
    ...(dryRun === true && { dryRun }),
  };
}
