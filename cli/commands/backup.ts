import { type Command, Option } from '@commander-js/extra-typings';
import type { Backup } from '../../functions/recovery/model.ts';
import type { Outcome } from '../exit-codes.ts';
import { Session, type SessionOptions } from '../session.ts';
import { formatDuration } from '../units.ts';
import { shardsTable } from '../views/backup-tables.ts';
import { endedAs } from '../views/ended.ts';
import { watchBackup } from '../work-bars.ts';
import { type CommandHost, collect, platformCommand } from './command.ts';

/** `mainstay backup`: takes a backup and shows it until it is complete. */
export function addBackupCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'backup')
    .summary('take a backup')
    .description('Takes a full backup, every object of which is read back, and shows it until it has ended.')
    .option('--shard <name>', 'only this shard; may be repeated', collect)
    .option('--detach', 'return as soon as it is accepted')
    .addOption(
      new Option('--follow <id>', 'show one that was started before').conflicts([
        'shard',
        'detach',
        'cancel',
      ]),
    )
    .addOption(new Option('--cancel <id>', 'cancel a running one').conflicts(['shard', 'detach']))
    .action(async (options) => host.ended(await backup(await Session.open(host.io, options), options)));
}

interface Options extends SessionOptions {
  shard?: string[] | undefined;
  detach?: boolean | undefined;
  follow?: string | undefined;
  cancel?: string | undefined;
}

async function backup(session: Session, { shard, detach, follow, cancel }: Options): Promise<Outcome> {
  const { api } = session;
  if (cancel !== undefined) {
    session.result(await api.cancelBackup(cancel), () => `  The backup ${cancel} is being canceled.`);
    return 'done';
  }
  const id = follow ?? (await start(session, shard, detach === true));
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
  session.complain(
    `The backup ${id} ${endedAs(ended.state)}: ${ended.error?.message ?? 'nothing of it is kept'}`,
  );
  return 'failed';
}

/** @returns its id, or undefined when nobody wants to see it. */
async function start(session: Session, shards: string[] | undefined, detach: boolean) {
  const started = await session.api.startBackup(shards);
  if (!detach) return started.id;
  const follow = session.command(`backup --follow ${started.id}`);
  session.result(started, () => `  The backup ${started.id} is ${started.state}. To see it: ${follow}`);
  return undefined;
}

function textOf(backup: Backup): string {
  if (backup.state !== 'completed') return `  backup ${backup.id}: ${backup.state}`;
  const took = formatDuration(backup.durationMs ?? 0);
  return `\n${shardsTable(backup)}\n\n  backup ${backup.id}: complete in ${took}, every object read back`;
}
