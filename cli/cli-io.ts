import type { Interruption } from './interruption.ts';
import type { TextOutput } from './terminal.ts';

/** Everything outside that the commands touch, so that tests can stand in for it. */
export interface CliIo {
  env: NodeJS.ProcessEnv;
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  /** Results go here, */
  stdout: TextOutput;
  /** and whatever else is said goes here. */
  stderr: TextOutput;
  interruption: Interruption;
  /** Resolves to whether a browser took the URL. */
  openBrowser(url: string): Promise<boolean>;
}
