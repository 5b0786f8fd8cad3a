import { connectionHere } from '../cli/connect/connection.ts';
import { runDemo } from '../cli/demo/demo.ts';
import { listenForStop } from '../cli/stop-request.ts';

const stop = listenForStop(
  (reason) => console.log(`\n  ${reason}: removes what it made`),
  () => process.exit(130),
);

try {
  await runDemo(await connectionHere(process.env), process.stdout, stop.signal);
} catch (error) {
  if (!stop.signal.aborted) console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
