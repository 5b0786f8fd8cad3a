import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../cli/browser.ts';
import { TemporaryDirectories } from '../support/temporary-directory.ts';
import { mainstay } from './support/run.ts';

const directories = new TemporaryDirectories();
afterAll(() => directories.removeAll());

const env = { MAINSTAY_URL: 'https://mainstay.example.com/' };

describe('mainstay open', () => {
  it('opens the documentation without a key, and prints its URL', async () => {
    expect(await mainstay(undefined, ['open'], { env })).toMatchObject({
      code: 0,
      stdout: 'https://mainstay.example.com/docs\n',
      opened: ['https://mainstay.example.com/docs'],
    });
  });

  it('opens another page', async () => {
    const { opened } = await mainstay(undefined, ['open', '/docs#problem-conflict'], { env });
    expect(opened).toEqual(['https://mainstay.example.com/docs#problem-conflict']);
  });

  it('only ever opens pages of the platform', async () => {
    for (const page of ['.evil.example', '@evil.example/docs', 'https://evil.example']) {
      expect(await mainstay(undefined, ['open', page], { env })).toMatchObject({ code: 2, opened: [] });
    }
  });

  it('tells a program whether a browser took it', async () => {
    const { stdout } = await mainstay(undefined, ['open', '--json'], { env, browser: false });
    expect(JSON.parse(stdout)).toEqual({ url: 'https://mainstay.example.com/docs', opened: false });
  });
});

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('a browser', () => {
  async function opener(script: string): Promise<NodeJS.ProcessEnv> {
    const directory = await directories.make('mainstay-browser-');
    await writeFile(join(directory, 'xdg-open'), `#!/bin/sh\n${script}\n`);
    await chmod(join(directory, 'xdg-open'), 0o755);
    return { PATH: directory, DISPLAY: ':0' };
  }

  it('takes a URL', async () => {
    expect(await openBrowser(await opener('[ "$1" = https://x/docs ]'), 'https://x/docs')).toBe(true);
  });

  it('is not there without a screen, without an opener, or when the opener says so', async () => {
    expect(await openBrowser({ PATH: process.env.PATH }, 'https://x/')).toBe(false);
    expect(await openBrowser({ PATH: '/nonexistent', DISPLAY: ':0' }, 'https://x/')).toBe(false);
    expect(await openBrowser(await opener('exit 3'), 'https://x/')).toBe(false);
  });
});
