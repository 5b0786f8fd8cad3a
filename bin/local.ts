import { resolve } from 'node:path';
import { parseOptions, usage } from '../local/cli/options.ts';
import { createReporter } from '../local/cli/reporter.ts';
import { runLocally } from '../local/runtime/run.ts';

const projectDirectory = resolve(import.meta.dirname, '..');

// A terminal that was closed, or a pipe that nobody reads any more, is no reason to end in disorder.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await runLocally(projectDirectory, options, createReporter(process.stdout));
  process.exit();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
