import { createInterface } from 'node:readline';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';

/**
 * Has the operator type the name of each shard whose database is about to be replaced.
 *
 * @throws CliError when a name is not typed, or nobody is there to type it.
 */
export async function confirmReplacement(io: CliIo, shards: readonly string[]): Promise<void> {
  if (io.stdin.isTTY !== true) {
    throw new CliError(
      'usage',
      'Mode replace asks before it replaces a database, and nobody is there to answer. Add --yes if you are sure.',
    );
  }
  io.stderr.write(
    '\n  Mode replace: the restored database takes the place of the present one. What is there now is\n' +
      '  backed up first, and kept under another name.\n\n',
  );
  // Not as a terminal: Ctrl-C stays a signal.
  const { signal } = io.interruption;
  const lines = createInterface({ input: io.stdin, terminal: false, signal });
  try {
    const answers = lines[Symbol.asyncIterator]();
    for (const shard of shards) {
      io.stderr.write(`  Type ${shard} to have it replaced: `);
      const { value, done } = await answers.next();
      if (done === true || value.trim() !== shard) {
        throw new CliError('failed', 'That is not its name. Nothing was changed.');
      }
    }
  } finally {
    lines.close();
  }
}
