import { type Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { followWarming, startWarming, type WarmWish } from '../edge-work.ts';
import type { Outcome } from '../exit-codes.ts';
import { Session } from '../session.ts';
import { warmingText } from '../views/edge-tables.ts';
import { type CommandHost, platformCommand } from './command.ts';
import { followEdgeWork } from './follow-edge-work.ts';

/** `mainstay warm`: puts content into the edge's caches before it is asked for. */
export function addWarmCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'warm')
    .summary('put paths, or those that are asked for most, into the edge’s caches')
    .description('Asks the edge for paths, in the variants that matter, so that nobody meets a cold cache.')
    .argument('[paths...]', 'paths, such as /index.html')
    .option(
      '--popular <n>',
      'in place of paths, so many of those that were asked for most in the last day',
      whole,
    )
    .option('--website <host>', 'of this website')
    .option('--urgent', 'before all that is not')
    .action(async (paths, { popular, website, urgent, ...options }, command) => {
      if ((popular === undefined) === (paths.length === 0)) {
        command.error('error: it takes either paths or --popular', { code: 'mainstay.wish', exitCode: 2 });
      }
      const wish: WarmWish = {
        ...(popular === undefined ? { paths } : { top: popular }),
        ...{ website, priority: urgent === true ? 'high' : undefined },
      };
      host.ended(await warm(await Session.open(host.io, options), wish));
    });
}

async function warm(session: Session, wish: WarmWish): Promise<Outcome> {
  const id = await startWarming(session.client, wish);
  const follow = () => followWarming(session.client, id);
  return followEdgeWork(session, `The warming ${id}`, follow, warmingText);
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It takes a whole number from 1 on.');
  return value;
}
