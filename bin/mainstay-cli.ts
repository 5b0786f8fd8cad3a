import { openBrowser } from '../cli/browser.ts';
import { Interruption } from '../cli/interruption.ts';
import { runCli } from '../cli/run-cli.ts';
import { listenForStop } from '../cli/stop-request.ts';

// A pipe that nobody reads any more is no reason to end in disorder.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const interruption = new Interruption(process.stderr);
listenForStop(
  (reason) => interruption.request(reason),
  () => interruption.leave(),
);
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interruption,
  openBrowser: (url) => openBrowser(process.env, url),
});
