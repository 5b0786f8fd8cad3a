import type { Command } from '@commander-js/extra-typings';
import { readStatus } from '../platform-status.ts';
import { Session } from '../session.ts';
import { statusText } from '../views/status-text.ts';
import { type CommandHost, platformCommand } from './command.ts';

/** `mainstay status`: how the platform is, and what it does. */
export function addStatusCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'status')
    .summary('dependencies, latest backups, running work')
    .description('Shows whether each dependency answers, the latest backups and what is running.')
    .action(async (options) => {
      const session = await Session.open(host.io, options);
      const status = await readStatus(session.client, session.baseUrl);
      session.result(status, () => statusText(status, host.io.stdout));
      host.ended(status.healthy ? 'done' : 'failed');
    });
}
