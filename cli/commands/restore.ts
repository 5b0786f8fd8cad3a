import { type Command, Option } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import type { Outcome } from '../exit-codes.ts';
import { Session } from '../session.ts';
import { type CommandHost, collect, platformCommand } from './command.ts';
import { followRestore } from './follow-restore.ts';
import { type RestoreOptions, startRestore } from './start-restore.ts';

/** `mainstay restore`: restores a backup and shows how it compares. */
export function addRestoreCommand(program: Command, host: CommandHost): void {
  const others = ['shard', 'table', 'mode', 'database', 'dryRun'];
  platformCommand(program, 'restore')
    .summary('restore a backup')
    .description(
      'Restores a backup into a new database beside the present one, and compares every table with the ' +
        'backup. In mode replace it then takes the place of the present one, which is backed up first and kept.',
    )
    .argument('[backup]', 'id of a backup, or latest')
    .option('--shard <name>', 'only this shard; may be repeated', collect)
    .option('--table <schema.name>', 'only the rows of this table; may be repeated', collect)
    .addOption(new Option('--mode <mode>', 'what becomes of it').choices(['new', 'replace']))
    .option('--database <name>', 'name of the new database')
    .option('--dry-run', 'only say what it would do, and what would stop it')
    .option('--yes', 'mode replace: do not ask')
    .option('--detach', 'return as soon as it is accepted')
    .addOption(
      new Option('--follow <id>', 'show a restore that was started before').conflicts([
        ...others,
        'yes',
        'detach',
        'cancel',
        'resume',
      ]),
    )
    .addOption(
      new Option('--resume <id>', 'resume a failed restore where it stopped').conflicts([
        ...others,
        'cancel',
      ]),
    )
    .addOption(
      new Option('--cancel <id>', 'cancel a running restore').conflicts([...others, 'yes', 'detach']),
    )
    .action(async (backup, options) => {
      checkTarget(backup, options);
      host.ended(await restore(await Session.open(host.io, options), backup, options));
    });
}

interface Options extends RestoreOptions {
  follow?: string | undefined;
  cancel?: string | undefined;
}

function checkTarget(backup: string | undefined, { follow, resume, cancel }: Options): void {
  const one = [backup, follow, resume, cancel].filter((id) => id !== undefined);
  if (one.length !== 1) {
    throw new CliError(
      'usage',
      'Name the backup to restore (an id, or latest), or a restore by --follow, --resume or --cancel.',
    );
  }
}

async function restore(session: Session, backup: string | undefined, options: Options): Promise<Outcome> {
  const { follow, cancel, detach } = options;
  if (cancel !== undefined) {
    session.result(
      await session.api.cancelRestore(cancel),
      () => `  The restore ${cancel} is being canceled.`,
    );
    return 'done';
  }
  if (follow !== undefined) return followRestore(session, follow);
  const started = await startRestore(session, backup, options);
  if (detach !== true) return followRestore(session, started.id);
  const show = session.command(`restore --follow ${started.id}`);
  session.result(started, () => `  The restore ${started.id} is ${started.state}. To see it: ${show}`);
  return 'done';
}
