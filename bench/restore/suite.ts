import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes } from '../../cli/units.ts';
import { type DataSet, dataSets } from '../backup/data-sets.ts';
import { BenchDatabase } from '../backup/database.ts';
import { describeTools, findTools, missingPipes, type Tools } from '../backup/peers/tools.ts';
import { measureInRounds, type Result } from '../backup/rounds.ts';
import { BenchStore } from '../backup/store.ts';
import { bundleScript } from '../measure/bundle.ts';
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
  const tools = await findTools();
  await using resources = new AsyncDisposableStack();
  const directory = resources.adopt(await mkdtemp(join(tmpdir(), 'mainstay-bench-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const database = resources.adopt(await BenchDatabase.start(), (started) => started.close());
  const store = resources.adopt(await BenchStore.start(), (started) => started.close());
  const laneScript = await bundleScript(join(import.meta.dirname, 'lane-main.ts'), directory);
  const reports: Report[] = [];
  for (const dataSet of dataSets(options.sizeMb)) {
    reports.push(
      await measureDataSet({ ...options, tools, database, store, dataSet, directory, laneScript }),
    );
    await store.clear();
  }
  const found = describeTools(tools);
  const setting = [`PostgreSQL ${database.version}`, ...(found === '' ? [] : [`Peers: ${found}`])];
  return { reports, missing: [...missingPipes(tools), ...(await missingArchive(tools))], setting };
}

const scopes: Readonly<Record<Scope, string>> = {
  rows: 'rows',
  complete: 'and indexes',
  compared: 'and comparison',
};

interface DataSetOptions extends RestoreSuiteOptions {
  tools: Tools;
  database: BenchDatabase;
  store: BenchStore;
  dataSet: DataSet;
  directory: string;
  laneScript: string;
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
