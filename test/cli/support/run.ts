import { PassThrough } from 'node:stream';
import type { CliIo } from '../../../cli/cli-io.ts';
import { Interruption } from '../../../cli/interruption.ts';
import { runCli } from '../../../cli/run-cli.ts';
import { FakePlatform } from './fake-platform.ts';

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  /** What an operator types at a terminal; without it nobody is there. */
  typed?: string;
  interruption?: Interruption;
  browser?: boolean;
}

/** Runs `mainstay` in this process against a fake platform, and returns all that came of it. */
export async function mainstay(platform: FakePlatform | undefined, args: string[], options: RunOptions = {}) {
  const stdin: CliIo['stdin'] = new PassThrough().end(options.typed ?? '');
  stdin.isTTY = options.typed !== undefined;
  const stdout = new Said();
  const stderr = new Said();
  const opened: string[] = [];
  const code = await runCli(args, {
    env: {
      HOME: '/nonexistent',
      MAINSTAY_STATE: '/nonexistent',
      ...(platform !== undefined && { MAINSTAY_URL: platform.url, MAINSTAY_API_KEY: FakePlatform.key }),
      ...options.env,
    },
    stdin,
    stdout,
    stderr,
    interruption: options.interruption ?? new Interruption(stderr),
    openBrowser: async (url) => {
      opened.push(url);
      return options.browser ?? true;
    },
  });
  return { code, stdout: stdout.text, stderr: stderr.text, opened };
}

/** Keeps what is written to it. */
export class Said {
  text = '';

  write(text: string): void {
    this.text += text;
  }
}
