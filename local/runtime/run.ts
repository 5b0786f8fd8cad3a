import { resolve } from 'node:path';
import type { LocalOptions } from '../cli/options.ts';
import { printReady } from '../cli/ready.ts';
import type { Reporter } from '../cli/reporter.ts';
import { discardState } from './discard.ts';
import { LocalRuntime } from './runtime.ts';
import { StateDirectory } from './state-directory.ts';

/**
 * Runs the platform on this machine until it is told to stop by SIGINT or SIGTERM.
 *
 * @throws when it cannot start; what had started is stopped by then.
 */
export async function runLocally(
  projectDirectory: string,
  options: LocalOptions,
  reporter: Reporter,
): Promise<void> {
  const started = performance.now();
  const state = new StateDirectory(resolve(projectDirectory, options.state));
  await state.start();
  const stopped = stopSignal();
  try {
    if (options.fresh) await reporter.step('discard earlier state', () => discardState(state));
    const runtime = new LocalRuntime({
      projectDirectory,
      state,
      environment: options.environment,
      context: options.context,
      ...(options.assembly !== undefined && { assembly: resolve(projectDirectory, options.assembly) }),
      port: options.port,
      awsPort: options.awsPort,
      reporter,
    });
    if (options.logs) {
      runtime.parts.lambda.onLogLine(({ functionName, text }) => reporter.line(`${functionName}  ${text}`));
    }
    try {
      reporter.line('\nMainstay, local\n');
      const facts = await Promise.race([runtime.start(), stopped.then(() => undefined)]);
      if (facts !== undefined) {
        printReady(reporter, facts, {
          seconds: (performance.now() - started) / 1000,
          logs: state.join('logs'),
          state: state.path,
        });
        const signal = await stopped;
        reporter.line(`\n  ${signal}: stopping`);
      }
    } finally {
      await runtime.stop();
    }
  } finally {
    await state.stop();
  }
}

/** Resolves with the name of the first signal that asks for an end. A second one ends at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    let asked = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        done(signal);
      });
    }
  });
}
