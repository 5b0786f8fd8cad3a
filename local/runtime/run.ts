import { resolve } from 'node:path';
import { listenForStop, type StopRequest } from '../../cli/stop-request.ts';
import { formatLogLine } from '../cli/log-line.ts';
import type { LocalOptions } from '../cli/options.ts';
import { printReady } from '../cli/ready.ts';
import type { Reporter } from '../cli/reporter.ts';
import { discardState } from './discard.ts';
import { LocalRuntime } from './runtime.ts';
import { contextWithShards } from './shard-count.ts';
import { StateDirectory } from './state-directory.ts';

/**
 * Runs the platform on this machine until it is told to stop by SIGINT, SIGTERM or SIGHUP, at
 * whatever moment that comes.
 *
 * @throws when it cannot start; what had started is stopped by then.
 */
export async function runLocally(
  projectDirectory: string,
  options: LocalOptions,
  reporter: Reporter,
): Promise<void> {
  const stop = listenForStop(
    (reason) => reporter.line(`\n  ${reason}: stopping`),
    // PostgreSQL and the functions notice by themselves that their parent is gone.
    () => process.exit(130),
  );
  const state = new StateDirectory(resolve(projectDirectory, options.state));
  await state.start();
  try {
    await runIn(state, projectDirectory, options, reporter, stop);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await state.stop();
  }
}

async function runIn(
  state: StateDirectory,
  projectDirectory: string,
  options: LocalOptions,
  reporter: Reporter,
  stop: StopRequest,
): Promise<void> {
  const started = performance.now();
  reporter.line('\nMainstay, local\n');
  if (options.fresh) await reporter.step('discard earlier state', () => discardState(state));
  stop.signal.throwIfAborted();
  const shards =
    options.shards === undefined
      ? {}
      : await contextWithShards(projectDirectory, options.environment, options.shards);
  const runtime = new LocalRuntime({
    projectDirectory,
    state,
    environment: options.environment,
    context: { ...shards, ...options.context },
    ...(options.assembly !== undefined && { assembly: resolve(projectDirectory, options.assembly) }),
    port: options.port,
    awsPort: options.awsPort,
    edgePort: options.edgePort,
    reporter,
    signal: stop.signal,
  });
  if (options.logs) {
    runtime.parts.lambda.onLogLine((line) => {
      const text = formatLogLine(line, reporter);
      if (text !== undefined) reporter.line(text);
    });
  }
  try {
    printReady(reporter, await runtime.start(), {
      seconds: (performance.now() - started) / 1000,
      logs: state.join('logs'),
      state: state.path,
    });
    await stop.requested;
  } finally {
    await runtime.stop();
  }
}
