import { listenForStop } from '../cli/stop-request.ts';
import { type BenchOptions, parseOptions, suiteNames, usage } from './options.ts';
import { machine } from './report/machine.ts';
import { formatReport, type Outcome, type Report, toJson } from './report/report.ts';

const stop = listenForStop(
  (reason) => console.error(`\n${reason}: stopping`),
  () => process.exit(130),
);

/**
 * Says what is going on, on the error stream: standard output is for results.
 *
 * @throws when somebody asked for an end: whoever measures cleans up on the way out.
 */
function progress(text: string): void {
  stop.signal.throwIfAborted();
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001b[2K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
  }
}

/** @param found hears of each suite's outcome as soon as it is there: a later one may fail. */
async function measure(options: BenchOptions, found: (outcome: Outcome) => void): Promise<void> {
  for (const suite of suiteNames.filter((name) => options.only.includes(name))) {
    if (suite === 'backup' || suite === 'restore') {
      found(await measureRows(suite, options));
    } else if (suite === 'incremental') {
      const { measureIncremental } = await import('./incremental/suite.ts');
      found(await measureIncremental({ ...options, progress }));
    } else if (suite === 'load') {
      const { measureLoad } = await import('./load/suite.ts');
      found(ofReports(await measureLoad({ ...options, progress })));
    } else if (suite === 'limits') {
      const { measureLimits } = await import('./limits/suite.ts');
      found(ofReports(...(await measureLimits({ ...options, progress }))));
    } else if (suite === 'stack') {
      const { measureStack } = await import('./stack/suite.ts');
      found(ofReports(await measureStack({ ...options, progress })));
    } else if (suite === 'edge') {
      const { measureEdge } = await import('./edge/suite.ts');
      found(ofReports(...(await measureEdge({ ...options, progress }))));
    } else if (suite === 'tracing') {
      const { measureTracing } = await import('./tracing/suite.ts');
      found(ofReports(...(await measureTracing({ ...options, progress }))));
    } else if (suite === 'cdn') {
      const { measureCdn } = await import('./cdn/suite.ts');
      found(await measureCdn({ ...options, progress }));
    } else if (suite === 'files') {
      const { measureFiles } = await import('./files/suite.ts');
      found(await measureFiles({ ...options, progress }));
    } else if (suite === 'shards') {
      const { measureShards } = await import('./shards/suite.ts');
      found(await measureShards({ ...options, progress }));
    } else if (suite === 'scale') {
      const { measureScale } = await import('./scale/suite.ts');
      found(ofReports(...(await measureScale({ progress }))));
    } else {
      const { measureLocal } = await import('./local/suite.ts');
      found(ofReports(...(await measureLocal({ ...options, progress }))));
    }
  }
}

const ofReports = (...reports: Report[]): Outcome => ({ setting: [], reports, missing: [] });

/** Both suites of rows have the same server and some of the same peers. */
const together = (options: BenchOptions, outcomes: readonly Outcome[]): Outcome => ({
  setting: [commandOf(options), machine(), ...new Set(outcomes.flatMap(({ setting }) => setting))],
  reports: outcomes.flatMap(({ reports }) => reports),
  missing: [...new Set(outcomes.flatMap(({ missing }) => missing))],
});

async function measureRows(suite: 'backup' | 'restore', options: BenchOptions): Promise<Outcome> {
  if (suite === 'backup') {
    const { measureBackup } = await import('./backup/suite.ts');
    return measureBackup({ ...options, progress });
  }
  const { measureRestore } = await import('./restore/suite.ts');
  return measureRestore({ ...options, progress });
}

const commandOf = ({ only, sizeMb, rounds }: BenchOptions): string =>
  `npm run bench -- --only ${only.join(',')} --size ${sizeMb} --rounds ${rounds}`;

function print({ setting, reports }: Outcome): void {
  progress('');
  if (setting.length > 0) console.log([...setting, ''].join('\n'));
  for (const report of reports) console.log(`${formatReport(report)}\n`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else {
    const outcomes: Outcome[] = [];
    if (!options.json) console.log([commandOf(options), machine(), ''].join('\n'));
    await measure(options, (outcome) => {
      outcomes.push(outcome);
      if (!options.json) print(outcome);
    });
    const { missing, ...outcome } = together(options, outcomes);
    progress('');
    if (options.json) console.log(toJson({ ...outcome, missing }));
    else if (missing.length > 0)
      console.log(['Not measured; to measure it as well:', ...missing].join('\n• '));
  }
} catch (error) {
  if (!stop.signal.aborted) console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
