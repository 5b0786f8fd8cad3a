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

async function measure(options: BenchOptions): Promise<Outcome> {
  const reports: Report[] = [];
  const missing: string[] = [];
  const setting = [commandOf(options), machine()];
  for (const suite of suiteNames.filter((name) => options.only.includes(name))) {
    if (suite === 'backup' || suite === 'restore') {
      const outcome = await measureRows(suite, options);
      reports.push(...outcome.reports);
      missing.push(...outcome.missing);
      setting.push(...outcome.setting);
    } else if (suite === 'load') {
      const { measureLoad } = await import('./load/suite.ts');
      reports.push(await measureLoad({ ...options, progress }));
    } else {
      const { measureLocal } = await import('./local/suite.ts');
      reports.push(...(await measureLocal({ ...options, progress })));
    }
  }
  // Both suites of rows have the same server and some of the same peers.
  return { setting: [...new Set(setting)], reports, missing: [...new Set(missing)] };
}

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

function print({ setting, reports, missing }: Outcome): void {
  console.log([...setting, ''].join('\n'));
  for (const report of reports) console.log(`${formatReport(report)}\n`);
  if (missing.length > 0) console.log(['Not measured; to measure it as well:', ...missing].join('\n• '));
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else {
    const outcome = await measure(options);
    progress('');
    if (options.json) console.log(toJson(outcome));
    else print(outcome);
  }
} catch (error) {
  if (!stop.signal.aborted) console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
