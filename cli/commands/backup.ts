import { type Command, Option } from '@commander-js/extra-typings';
import type { Backup } from '../../functions/recovery/model.ts';
import type { Outcome } from '../exit-codes.ts';
import { Session, type SessionOptions } from '../session.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { shardsTable } from '../views/backup-tables.ts';
import { endedText } from '../views/ended.ts';
import { watchBackup } from '../work-bars.ts';
import { type CommandHost, collect, platformCommand } from './command.ts';

/** `mainstay backup`: takes a backup and shows it until it is complete. */
export function addBackupCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'backup')
    .summary('take a backup')
    .description(
      'Takes a backup, every new object of which is read back, and shows it until it has ended. What has not changed since an earlier backup is referred to.',
    )
    .option('--full', 'store everything, depending on no earlier backup')
    .option('--shard <name>', 'only this shard; may be repeated', collect)
    .option('--detach', 'return as soon as it is accepted')
    .addOption(
      new Option('--follow <id>', 'show one that was started before').conflicts([
        'full',
        'shard',
        'detach',
        'cancel',
      ]),
    )
    .addOption(new Option('--cancel <id>', 'cancel a running one').conflicts(['full', 'shard', 'detach']))
    .action(async (options) => host.ended(await backup(await Session.open(host.io, options), options)));
}

interface Options extends SessionOptions {
  full?: boolean | undefined;
  shard?: string[] | undefined;
  detach?: boolean | undefined;
  follow?: string | undefined;
  cancel?: string | undefined;
}

async function backup(session: Session, options: Options): Promise<Outcome> {
  const { follow, cancel } = options;
  const { api } = session;
  if (cancel !== undefined) {
    session.result(await api.cancelBackup(cancel), () => `  The backup ${cancel} is being canceled.`);
    return 'done';
  }
  const id = follow ?? (await start(session, options));
  if (id === undefined) return 'done';
  const work = {
    name: `The backup ${id}`,
    cancel: session.command(`backup --cancel ${id}`),
    follow: session.command(`backup --follow ${id}`),
  };
  const ended = await session.io.interruption.during(work, () =>
    watchBackup(api, id, { output: session.progress, title: 'backup' }),
  );
  session.result(ended, () => textOf(ended));
  if (ended.state === 'completed') return 'done';
  session.complain(endedText(work.name, ended, 'nothing of it is kept'));
  return 'failed';
}

/** @returns its id, or undefined when nobody wants to see it. */
async function start(session: Session, { shard, full, detach }: Options) {
  const started = await session.api.startBackup(shard, full === true ? 'full' : undefined);
  if (detach !== true) return started.id;
  const follow = session.command(`backup --follow ${started.id}`);
  session.result(started, () => `  The backup ${started.id} is ${started.state}. To see it: ${follow}`);
  return undefined;
}

function textOf(backup: Backup): string {
  if (backup.state !== 'completed') return `  backup ${backup.id}: ${backup.state}`;
  const took = formatDuration(backup.durationMs ?? 0);
  const referred = backup.referencedBytes ?? 0;
  const rest = referred === 0 ? '' : `, ${formatBytes(referred)} of earlier backups referred to`;
  return `\n${shardsTable(backup)}\n\n  backup ${backup.id}: complete in ${took}, every object read back${rest}`;
}
