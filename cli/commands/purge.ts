import type { Command } from '@commander-js/extra-typings';
import { followPurge, type PurgeWish, startPurge } from '../edge-work.ts';
import type { Outcome } from '../exit-codes.ts';
import { Session } from '../session.ts';
import { purgeText } from '../views/edge-tables.ts';
import { type CommandHost, collect, platformCommand } from './command.ts';
import { followEdgeWork } from './follow-edge-work.ts';

/** `mainstay purge`: makes the edge forget, and waits until it has. */
export function addPurgeCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'purge')
    .summary('make the edge forget paths, prefixes, tags or everything')
    .description('Purges content from the edge and waits until the last edge location has forgotten it.')
    .argument('[paths...]', 'paths, such as /index.html')
    .option('--prefix <prefix>', 'all that begins so; may be repeated', collect)
    .option('--tag <tag>', 'all that has this tag; may be repeated', collect)
    .option('--everything', 'all there is')
    .option('--website <host>', 'of this website alone')
    .option('--verify', 'be done only when an edge location has shown that it is gone')
    .option('--rewarm', 'put the paths into the cache again')
    .action(async (paths, { prefix, tag, everything, website, verify, rewarm, ...options }) => {
      const wish = {
        ...(paths.length > 0 && { paths }),
        ...{ prefixes: prefix, tags: tag, everything, website, verify, rewarm },
      };
      host.ended(await purge(await Session.open(host.io, options), wish));
    });
}

async function purge(session: Session, wish: PurgeWish): Promise<Outcome> {
  const id = await startPurge(session.client, wish);
  const follow = () => followPurge(session.client, id);
  return followEdgeWork(session, `The purge ${id}`, follow, purgeText);
}
