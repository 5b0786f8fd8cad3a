import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';
import { formatInstant } from '../views/instant.ts';

/**
 * The id that was given; for `latest` that of the latest complete backup of the shards, not counting those that
 * a restore took of what it was about to replace, and those of single tenants.
 */
export async function chooseBackup(session: Session, wanted: string, shards: string[] = []): Promise<string> {
  if (wanted !== 'latest') return wanted;
  const complete = await session.api.backups(100, 'completed');
  const latest = complete.find(
    ({ trigger, tenant, ...backup }) =>
      trigger !== 'restore' &&
      tenant === null &&
      shards.every((name) => backup.shards.some((s) => s === name)),
  );
  if (latest === undefined) {
    const ofShards = shards.length === 0 ? '' : ` of ${shards.join(' and ')}`;
    const take = session.command('backup');
    throw new CliError('failed', `There is no complete backup${ofShards} yet: ${take} takes one.`);
  }
  const taken = formatInstant(latest.createdAt);
  session.note(`  the latest: backup ${latest.id} of ${latest.shards.join(', ')}, taken ${taken} UTC`);
  return latest.id;
}
