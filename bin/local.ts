import { resolve } from 'node:path';
import { parseOptions, usage } from '../local/cli/options.ts';
import { createReporter } from '../local/cli/reporter.ts';
import { runLocally } from '../local/runtime/run.ts';

const projectDirectory = resolve(import.meta.dirname, '..');

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await runLocally(projectDirectory, options, createReporter(process.stdout));
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
