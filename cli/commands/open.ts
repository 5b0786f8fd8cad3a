import type { Command } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import { addressFor } from '../connect/connection.ts';
import { type CommandHost, platformCommand } from './command.ts';

/** `mainstay open`: shows a page of the platform in the browser. */
export function addOpenCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'open')
    .summary('the documentation in the browser')
    .description('Opens a page of the platform in the browser, and prints its URL. Needs no key.')
    .argument('[page]', 'its path', '/docs')
    .action(async (page, { json, ...wish }) => {
      const url = pageUrl(await addressFor(host.io.env, wish), page);
      const opened = await host.io.openBrowser(url);
      host.io.stdout.write(`${json === true ? JSON.stringify({ url, opened }) : url}\n`);
      host.ended('done');
    });
}

function pageUrl(baseUrl: string, page: string): string {
  const url = URL.parse(`${baseUrl}${page}`);
  if (!page.startsWith('/') || url === null) throw new CliError('usage', 'A page begins with /, like /docs');
  return url.href;
}
