import { CommanderError } from '@commander-js/extra-typings';
import { ApiError, UnreachableError } from './api-errors.ts';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { exitCodes, type Outcome } from './exit-codes.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command of `mainstay`.
 *
 * @param args the command line after the program's name.
 * @returns the exit code.
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let outcome: Outcome = 'done';
  const program = createProgram({
    io,
    ended: (how) => {
      outcome = how;
    },
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes[outcome];
  } catch (error) {
    if (io.interruption.signal.aborted) return exitCodes.interrupted;
    // The parser has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes[outcomeOf(error)];
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof CliError) return error.outcome;
  if (error instanceof UnreachableError) return 'noAccess';
  if (!(error instanceof ApiError)) return 'failed';
  if (error.status === 401 || error.status === 403) return 'noAccess';
  return error.status === 400 || error.status === 422 ? 'usage' : 'failed';
}
