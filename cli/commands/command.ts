import { type Command, Option } from '@commander-js/extra-typings';
import type { CliIo } from '../cli-io.ts';
import type { Outcome } from '../exit-codes.ts';

/** What a command needs from the program it belongs to. */
export interface CommandHost {
  io: CliIo;
  /** Called with how the command has ended. */
  ended(outcome: Outcome): void;
}

/** A command with the options that say which platform is meant. */
export function platformCommand(program: Command, name: string) {
  return program
    .command(name)
    .option('--url <url>', 'the platform; its key is in MAINSTAY_API_KEY or the configuration file')
    .addOption(
      new Option('--profile <name>', 'the platform of that name in the configuration file').conflicts('url'),
    )
    .option('--json', 'print JSON, for programs');
}

/** For options that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
