import { type Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { readBalance } from '../balance.ts';
import { Session } from '../session.ts';
import { balanceText } from '../views/balance-text.ts';
import { type CommandHost, platformCommand } from './command.ts';

/** `mainstay balance`: how even the shards are, and what to move. */
export function addBalanceCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'balance')
    .summary('how even the shards are, and which moves would make them so')
    .description(
      'Shows the load of each shard beside what it should have, the heaviest slots, and the fewest and smallest moves that make the shards even. Nothing is moved.',
    )
    .option('--fresh', 'analyze the shards first, and wait for it')
    .option('--threshold <variance>', 'come under this variance; default: the deployment’s', decimal)
    .option('--max-moves <n>', 'no more moves than this', decimal)
    .option('--add <shard>', 'with a shard that is to be filled; it need not exist yet')
    .option('--drain <shards>', 'with shards that are to be emptied, with commas between them')
    .action(async ({ fresh, threshold, maxMoves, add, drain, ...options }) => {
      const session = await Session.open(host.io, options);
      const wish = { threshold, maxMoves, add, drain };
      const balance = await readBalance(session.client, wish, {
        fresh: fresh === true,
        signal: host.io.interruption.signal,
        waiting: () => session.note('The shards are being analyzed …'),
      });
      session.result(balance, () => balanceText(balance, host.io.stdout));
      host.ended('done');
    });
}

function decimal(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It takes a positive number.');
  return value;
}
