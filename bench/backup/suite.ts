import { join } from 'node:path';
import { formatBytes } from '../../cli/units.ts';
import { bytes, factor, number, speed } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import type { Candidate } from './candidate.ts';
import { type DataSet, dataSets } from './data-sets.ts';
import { findingsOf } from './findings.ts';
import { ownCandidates } from './own.ts';
import { peersOn } from './peers/peers.ts';
import { missingPeers } from './peers/tools.ts';
import { openResources, type Resources } from './resources.ts';
import { measureInRounds, type Result } from './rounds.ts';

export interface BackupSuiteOptions {
  sizeMb: number;
  rounds: number;
  progress: (text: string) => void;
}

/** Measures the way of rows from PostgreSQL to the store, beside other ways. */
export async function measureBackup(
  options: BackupSuiteOptions,
): Promise<{ reports: Report[]; missing: string[]; setting: string[] }> {
  await using stack = new AsyncDisposableStack();
  const resources = await openResources(stack, join(import.meta.dirname, 'lane-main.ts'));
  const reports: Report[] = [];
  for (const dataSet of dataSets(options.sizeMb)) {
    options.progress(`filling ${dataSet.title}`);
    await resources.database.fill(dataSet);
    reports.push(await measureDataSet({ ...options, ...resources, dataSet }));
  }
  const { tools, setting } = resources;
  return { reports, missing: missingPeers(tools), setting };
}

interface DataSetOptions extends BackupSuiteOptions, Resources {
  dataSet: DataSet;
}

async function measureDataSet(options: DataSetOptions): Promise<Report> {
  const { database, store, dataSet, rounds, progress, laneScript } = options;
  const items = await database.plan(dataSet);
  const candidates: Candidate[] = [
    ...ownCandidates(database, store, { items, store: store.facts, laneScript }, dataSet.tables.length === 1),
    ...(await peersOn({ ...options, items, connection: database.socket })),
  ];
  candidates.sort((a, b) => a.lanes - b.lanes);
  const results = await measureInRounds(candidates, rounds, (text) => progress(`${dataSet.title}, ${text}`));
  return reportOf(dataSet, items.length, rounds, results);
}

function reportOf(dataSet: DataSet, items: number, rounds: number, results: readonly Result[]): Report {
  const textBytes = Math.max(...results.map(({ median }) => median.textBytes ?? 0));
  const bareOf = ({ lanes, connection }: Candidate) =>
    results.find(
      ({ candidate }) =>
        candidate.kind === 'copy' && candidate.lanes === lanes && candidate.connection === connection,
    )?.median.seconds;
  return {
    title: `Backup: ${dataSet.title}`,
    setting: [
      `${formatBytes(textBytes)} of COPY text in ${items} work items; median of ${rounds} rounds, all candidates in turn.`,
    ],
    columns: [
      { title: 'Candidate' },
      { title: 'conn.', align: 'right' },
      { title: 'MB/s', align: 'right' },
      { title: 'of bare', align: 'right' },
      { title: 'CPU s', align: 'right' },
      { title: 'peak RSS', align: 'right' },
      { title: 'stored', align: 'right' },
      { title: 'ratio', align: 'right' },
    ],
    rows: results.map(({ candidate, median }) => {
      const { seconds, cpuSeconds, peakRssBytes, storedBytes } = median;
      const bare = bareOf(candidate);
      return [
        candidate.name,
        number(candidate.lanes, 0),
        speed(textBytes / seconds),
        bare === undefined ? undefined : number(bare / seconds, 2),
        number(cpuSeconds, 2),
        bytes(peakRssBytes),
        bytes(storedBytes === 0 ? undefined : storedBytes),
        storedBytes === undefined || storedBytes === 0 ? undefined : factor(textBytes / storedBytes),
      ];
    }),
    findings: findingsOf(results),
  };
}
