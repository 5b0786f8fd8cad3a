import tab from '@bomb.sh/tab/commander';
import { Command } from '@commander-js/extra-typings';
import { Command as UntypedCommand } from 'commander';
import { addBackupCommand } from './commands/backup.ts';
import { addBalanceCommand } from './commands/balance.ts';
import type { CommandHost } from './commands/command.ts';
import { addDrillCommand } from './commands/drill.ts';
import { addOpenCommand } from './commands/open.ts';
import { addPurgeCommand } from './commands/purge.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addStatusCommand } from './commands/status.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWarmCommand } from './commands/warm.ts';
import { exitCodesHelp } from './exit-codes.ts';

const platformHelp = `
The platform, first match:
  --url, or --profile <name> of the configuration file
  MAINSTAY_URL, or MAINSTAY_PROFILE
  url and apiKey in $XDG_CONFIG_HOME/mainstay/config.json (default ~/.config), which only you may read:
    { "url": "https://…", "apiKey": "…", "profiles": { "staging": { "url": "https://…", "apiKey": "…" } } }
  the local platform of this folder, while it runs (npm start)
The key of a URL that is given is in MAINSTAY_API_KEY or in that file, never on the command line.`;

/** The command line of `mainstay`. It ends by an exception instead of ending the process. */
export function createProgram(host: CommandHost): Command {
  const program = new Command('mainstay')
    .description(
      'Mainstay from the command line: backups taken, proven and restored; shards kept even; the edge told to forget.',
    )
    .exitOverride()
    .showHelpAfterError('(--help lists what there is)')
    .configureOutput({
      writeOut: (text) => host.io.stdout.write(text),
      writeErr: (text) => host.io.stderr.write(text),
      // What was mistaken for an option may have carried a key.
      outputError: (text, write) => write(text.replace(/^(error: unknown option '[^'=]+)=.*/, "$1'")),
    })
    .addHelpText('afterAll', exitCodesHelp)
    .addHelpText('after', platformHelp);
  addBackupCommand(program, host);
  addVerifyCommand(program, host);
  addRestoreCommand(program, host);
  addDrillCommand(program, host);
  addBalanceCommand(program, host);
  addPurgeCommand(program, host);
  addWarmCommand(program, host);
  addStatusCommand(program, host);
  addOpenCommand(program, host);
  // They are one class with two descriptions of its types; tab knows the other one.
  if (program instanceof UntypedCommand) tab(program, { completionCommandName: 'completion' });
  return program;
}
