import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../cli/units.ts';
import { type DataSet, dataSets } from '../backup/data-sets.ts';
import { missingPipes } from '../backup/peers/tools.ts';
import { openResources, type Resources } from '../backup/resources.ts';
import { measureInRounds, type Result } from '../backup/rounds.ts';
import { bytes, number, speed } from '../report/figures.ts';
import type { Outcome, Report } from '../report/report.ts';
import type { RestoreCandidate, Scope } from './candidate.ts';
import { findingsOf } from './findings.ts';
import { ownCandidates } from './own.ts';
import { missingArchive } from './peers/archive.ts';
import { peersOn } from './peers/peers.ts';
import { type StoredBackup, storeBackup } from './stored-backup.ts';
import { Target } from './target.ts';
import { writeTexts } from './texts.ts';

export interface RestoreSuiteOptions {
  sizeMb: number;
  rounds: number;
  progress: (text: string) => void;
}

/** Measures the way of rows from the store into an empty database, beside other ways. */
export async function measureRestore(options: RestoreSuiteOptions): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const resources = await openResources(stack, join(import.meta.dirname, 'lane-main.ts'));
  const reports: Report[] = [];
  for (const dataSet of dataSets(options.sizeMb)) {
    reports.push(await measureDataSet({ ...options, ...resources, dataSet }));
    await resources.store.clear();
  }
  const { tools, setting } = resources;
  return { reports, missing: [...missingPipes(tools), ...(await missingArchive(tools))], setting };
}

const scopes: Readonly<Record<Scope, string>> = {
  rows: 'rows',
  complete: 'and indexes',
  compared: 'and comparison',
};

interface DataSetOptions extends RestoreSuiteOptions, Resources {
  dataSet: DataSet;
}

async function measureDataSet(options: DataSetOptions): Promise<Report> {
  const { tools, database, dataSet, rounds, progress, laneScript } = options;
  const store = options.store.facts;
  progress(`storing ${dataSet.title}`);
  await database.fill(dataSet);
  const backup = await storeBackup(database, store, dataSet);
  const target = new Target(database.socket, store, backup);
  const directory = join(options.directory, dataSet.schema);
  const texts = await writeTexts(directory, database.socket, store, backup);
  const candidates: RestoreCandidate[] = [
    ...ownCandidates({ target, backup, texts, store, laneScript }),
    ...(await peersOn({ tools, dataSet, source: database.socket, target, texts, directory })),
  ];
  candidates.sort((a, b) => a.lanes - b.lanes);
  const results = await measureInRounds(candidates, rounds, (text) => progress(`${dataSet.title}, ${text}`));
  await rm(directory, { recursive: true, force: true });
  return reportOf(dataSet, backup, rounds, results);
}

function reportOf(
  { title }: DataSet,
  { textBytes, storedBytes, objects }: StoredBackup,
  rounds: number,
  results: readonly Result<RestoreCandidate>[],
): Report {
  const bareOf = ({ lanes, scope }: RestoreCandidate) =>
    results.find(
      ({ candidate }) =>
        candidate.kind === 'bare' &&
        candidate.lanes === lanes &&
        (candidate.scope === 'rows') === (scope === 'rows'),
    )?.median.seconds;
  return {
    title: `Restore: ${title}`,
    setting: [
      `${formatBytes(textBytes)} of COPY text, ${formatBytes(storedBytes)} stored in ${objects.length} objects; median of ${rounds} rounds, all candidates in turn.`,
      'All begin with the same empty tables. Indexes: also constraints, and ANALYZE; one connection makes them, with pg_restore two.',
    ],
    columns: [
      { title: 'Candidate' },
      { title: 'conn.', align: 'right' },
      { title: 'scope' },
      { title: 'MB/s', align: 'right' },
      { title: 'of bare', align: 'right' },
      { title: 'CPU s', align: 'right' },
      { title: 'peak RSS', align: 'right' },
      { title: 'proved on the way' },
    ],
    rows: results.map(({ candidate, median: { seconds, cpuSeconds, peakRssBytes } }) => {
      const bare = bareOf(candidate);
      return [
        candidate.name,
        number(candidate.lanes, 0),
        scopes[candidate.scope],
        speed(textBytes / seconds),
        bare === undefined ? undefined : number(bare / seconds, 2),
        number(cpuSeconds, 2),
        bytes(peakRssBytes),
        candidate.proves,
      ];
    }),
    findings: findingsOf(results),
  };
}
