import { parseArgs } from 'node:util';
import { connectionHere } from '../cli/connect/connection.ts';
import { runDemo } from '../cli/demo/demo.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { listenForStop } from '../cli/stop-request.ts';

const stop = listenForStop(
  (reason) => console.log(`\n  ${reason}: removes what it made`),
  () => process.exit(130),
);

try {
  const { values } = parseArgs({ options: { shard: { type: 'string', multiple: true } } });
  await runDemo(await connectionHere(process.env), process.stdout, stop.signal, values.shard);
} catch (error) {
  // Being interrupted is no news; what could not be removed afterwards is.
  const interrupted = error instanceof Error && error.name === 'AbortError';
  if (!interrupted) console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = stop.signal.aborted ? exitCodes.interrupted : exitCodes.failed;
}
