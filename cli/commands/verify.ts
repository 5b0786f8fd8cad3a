import { type Command, Option } from '@commander-js/extra-typings';
import type { Operation } from '../../functions/recovery/model.ts';
import type { Outcome } from '../exit-codes.ts';
import { Session, type SessionOptions } from '../session.ts';
import { formatBytes } from '../units.ts';
import { endedText } from '../views/ended.ts';
import { findingsText } from '../views/findings.ts';
import { watchVerification } from '../work-bars.ts';
import { chooseBackup } from './choose-backup.ts';
import { type CommandHost, platformCommand } from './command.ts';

/** `mainstay verify`: reads a stored backup back. */
export function addVerifyCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'verify')
    .summary('read a stored backup back')
    .description(
      'Reads a stored backup back: manifest, and of every object hash, decryption, decompression, rows and ' +
        'their digest. Names every object that is not as it was stored, and ends with 4 when there is one.',
    )
    .argument('[backup]', 'id of a backup, or latest', 'latest')
    .option('--hashes', 'only compare sizes and hashes; decrypts nothing')
    .addOption(new Option('--cancel <id>', 'cancel a running verification').conflicts('hashes'))
    .action(async (backup, options) =>
      host.ended(await verify(await Session.open(host.io, options), backup, options)),
    );
}

interface Options extends SessionOptions {
  hashes?: boolean | undefined;
  cancel?: string | undefined;
}

async function verify(session: Session, backup: string, { hashes, cancel }: Options): Promise<Outcome> {
  const { api } = session;
  if (cancel !== undefined) {
    session.result(
      await api.cancelVerification(cancel),
      () => `  The verification ${cancel} is being canceled.`,
    );
    return 'done';
  }
  const backupId = await chooseBackup(session, backup);
  const { id } = await api.startVerification(backupId, hashes === true ? 'hashes' : 'all');
  const work = { name: `The verification ${id}`, cancel: session.command(`verify --cancel ${id}`) };
  const ended = await session.io.interruption.during(work, () =>
    watchVerification(api, id, { output: session.progress, title: 'verify' }),
  );
  session.result(ended, () => textOf(ended, session));
  if (ended.state !== 'completed') {
    session.complain(endedText(work.name, ended, 'nothing is proven'));
    return 'failed';
  }
  return ended.intact === true ? 'done' : 'damaged';
}

function textOf(operation: Operation, { io }: Session): string {
  const { backupId, state, intact, findingsTotal, progress } = operation;
  if (state !== 'completed') return `  backup ${backupId}: not proven`;
  const read = `${progress.objectsTotal ?? 0} objects, ${formatBytes(progress.bytesRead)}`;
  if (intact === true) return `  backup ${backupId}: intact (${read})`;
  const text = `  backup ${backupId}: damaged, ${findingsTotal} wrong (${read})`;
  return `${text}\n${findingsText(operation, io.stdout)}`;
}
