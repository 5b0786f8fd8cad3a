import { join } from 'node:path';
import { formatBytes } from '../../cli/units.ts';
import { describeShard } from '../../functions/recovery/chunks/describe-shard.ts';
import { planChunks } from '../../functions/recovery/chunks/plan.ts';
import type { PreviousTable } from '../../functions/recovery/chunks/previous-ranges.ts';
import { snapshotBounds } from '../../functions/recovery/chunks/visibility.ts';
import type { ChunkWork } from '../../functions/recovery/workflow.ts';
import type { Measurement } from '../backup/candidate.ts';
import { openConnection, programEnvironment } from '../backup/connection.ts';
import { type DataSet, dataSets } from '../backup/data-sets.ts';
import { missingPipes } from '../backup/peers/tools.ts';
import { openResources, type Resources } from '../backup/resources.ts';
import { median } from '../measure/statistics.ts';
import { runTogether } from '../measure/together.ts';
import { aim } from '../report/comparison.ts';
import { bytes, factor, number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { type ChangeSet, changeSets } from './change-sets.ts';
import { type Job, resultSchema } from './job.ts';
import { ResticPeer } from './restic.ts';
import { readSnapshot } from './snapshot.ts';

export interface IncrementalSuiteOptions {
  sizeMb: number;
  rounds: number;
  progress: (text: string) => void;
}

/** A table of the default chunks of 256 MiB would have one. */
const chunks = 32;

/** Measures backups that refer to an earlier one, after more and more has changed, beside full ones and restic. */
export async function measureIncremental(
  options: IncrementalSuiteOptions,
): Promise<{ reports: Report[]; missing: string[]; setting: string[] }> {
  await using stack = new AsyncDisposableStack();
  const resources = await openResources(stack, join(import.meta.dirname, 'lane-main.ts'));
  const { tools, setting } = resources;
  const [wide] = dataSets(options.sizeMb);
  if (wide === undefined) throw new Error('There is no data set');
  const bench = new IncrementalBench(options, resources, wide);
  const rows: Row[] = [];
  for (const changes of changeSets) rows.push(...(await bench.measure(changes)));
  return { reports: [reportOf(rows, options)], missing: missingPipes(tools), setting };
}

interface Row {
  readonly changes: ChangeSet;
  readonly candidate: 'full' | 'incremental' | 'restic';
  readonly measured: Measurement;
}

class IncrementalBench {
  readonly #options: IncrementalSuiteOptions;
  readonly #resources: Resources;
  readonly #wide: DataSet;
  #backups = 0;

  constructor(options: IncrementalSuiteOptions, resources: Resources, wide: DataSet) {
    this.#options = options;
    this.#resources = resources;
    this.#wide = wide;
  }

  /** Takes a full backup, changes rows, and measures what the next backup takes, in each way in turn. */
  async measure(changes: ChangeSet): Promise<Row[]> {
    const { rounds, progress } = this.#options;
    const { database, directory, tools, store } = this.#resources;
    const restic =
      tools.psql === undefined || tools.restic === undefined
        ? undefined
        : new ResticPeer({
            directory,
            environment: programEnvironment(database.socket),
            statement: 'COPY wide.contents TO STDOUT',
          });
    progress(`${changes.title}: filling the table`);
    await this.#query((client) => client.query('DROP SCHEMA IF EXISTS wide CASCADE'));
    await database.fill(this.#wide);
    progress(`${changes.title}: the backup before`);
    await store.clear();
    const xmin = snapshotBounds(await this.#query(readSnapshot))?.xmin;
    const { items: before, blocks, target } = await this.#plan();
    const { objects } = await this.#run(before);
    await restic?.begin();
    if (changes.where !== undefined) await this.#change(changes.where);
    const previous: PreviousTable = { blocks, objects, xmin: String(xmin) };
    const { items: incremental } = await this.#plan({ previous, target });
    const { items: full } = await this.#plan({ target });
    const ways = [
      { candidate: 'full', run: () => this.#run(full) },
      { candidate: 'incremental', run: () => this.#run(incremental) },
      ...(restic === undefined ? [] : [{ candidate: 'restic', run: () => restic.run() } as const]),
    ] as const;
    const taken = ways.map((): Measurement[] => []);
    for (let round = 1; round <= rounds; round++) {
      for (const [index, { candidate, run }] of ways.entries()) {
        progress(`${changes.title}, round ${round} of ${rounds}: ${candidate}`);
        taken[index]?.push(await run());
      }
    }
    return ways.map(({ candidate }, index) => ({ changes, candidate, measured: middle(taken[index] ?? []) }));
  }

  async #run(items: readonly ChunkWork[]) {
    const { database, store, laneScript } = this.#resources;
    const job: Job = {
      backupId: `bench-${++this.#backups}`,
      connection: database.socket,
      items: [...items],
      store: store.facts,
    };
    const { seconds, results } = await runTogether(laneScript, [job], resultSchema);
    const [result] = results;
    if (result === undefined) throw new Error('The lane said nothing');
    return { ...result, seconds };
  }

  async #plan(known: { previous?: PreviousTable; target?: number } = {}) {
    const { tables } = await this.#query(describeShard);
    const own = tables.filter(({ schema }) => schema === 'wide');
    const [table] = own;
    if (table === undefined) throw new Error('The table is not there');
    const target = known.target ?? Math.max(1_000_000, Math.ceil(table.bytes / chunks));
    const previous = new Map(known.previous === undefined ? [] : [[table.oid, known.previous]]);
    return { items: planChunks(own, target, previous), blocks: table.blocks, target };
  }

  async #change(where: NonNullable<ChangeSet['where']>): Promise<void> {
    await this.#query(async (client) => {
      const { rows } = await client.query<{ rows: number }>('SELECT max(id)::int AS rows FROM wide.contents');
      await client.query(
        `UPDATE wide.contents SET status = 'changed', updated_at = now() WHERE ${where(rows[0]?.rows ?? 0)}`,
      );
      await client.query('CHECKPOINT');
    });
  }

  async #query<T>(ask: (client: Awaited<ReturnType<typeof openConnection>>) => Promise<T>): Promise<T> {
    const client = await openConnection(this.#resources.database.socket);
    try {
      return await ask(client);
    } finally {
      await client.end();
    }
  }
}

function middle(all: readonly Measurement[]): Measurement {
  const of = (get: (one: Measurement) => number | undefined) => median(all.map((one) => get(one) ?? 0));
  return {
    seconds: of(({ seconds }) => seconds),
    cpuSeconds: of(({ cpuSeconds }) => cpuSeconds),
    peakRssBytes: of(({ peakRssBytes }) => peakRssBytes),
    textBytes: of(({ textBytes }) => textBytes),
    storedBytes: of(({ storedBytes }) => storedBytes),
  };
}

const names = {
  full: 'Mainstay, full',
  incremental: 'Mainstay, incremental',
  restic: 'psql | restic backup --stdin',
} as const;

function reportOf(rows: readonly Row[], { sizeMb, rounds }: IncrementalSuiteOptions): Report {
  const find = (changes: ChangeSet, candidate: Row['candidate']) =>
    rows.find((row) => row.changes === changes && row.candidate === candidate)?.measured;
  const fullText = Math.max(...rows.map(({ measured }) => measured.textBytes ?? 0));
  return {
    title: 'Incremental: one wide table of text',
    setting: [
      `${formatBytes(sizeMb * 1e6)} of COPY text in ${chunks} chunks, one connection; median of ${rounds} rounds, all candidates in turn.`,
      'Each change is made to a table that was just loaded, after a full backup of it.',
    ],
    columns: [
      { title: 'Since the backup before' },
      { title: 'Candidate' },
      { title: 's', align: 'right' },
      { title: 'of full', align: 'right' },
      { title: 'CPU s', align: 'right' },
      { title: 'text read', align: 'right' },
      { title: 'stored', align: 'right' },
    ],
    rows: rows.map(({ changes, candidate, measured }) => {
      const full = find(changes, 'full');
      return [
        changes.title,
        names[candidate],
        number(measured.seconds, 2),
        full === undefined ? undefined : factor(measured.seconds / full.seconds),
        number(measured.cpuSeconds, 2),
        bytes(candidate === 'restic' ? fullText : measured.textBytes),
        bytes(measured.storedBytes),
      ];
    }),
    findings: changeSets.flatMap((changes) => {
      const full = find(changes, 'full');
      const incremental = find(changes, 'incremental');
      const restic = find(changes, 'restic');
      if (full === undefined || incremental === undefined) return [];
      return [
        ...(changes.share === 0
          ? [
              `Nothing changed: ${aim('speed of a full backup', full.seconds / incremental.seconds, 5, 'least')}`,
            ]
          : []),
        ...(restic !== undefined && (restic.storedBytes ?? 0) < (incremental.storedBytes ?? 0)
          ? [
              `${changes.title}: restic stores ${formatBytes(restic.storedBytes ?? 0)} instead of ${formatBytes(incremental.storedBytes ?? 0)}.`,
            ]
          : []),
        ...(restic !== undefined && restic.seconds < incremental.seconds
          ? [
              `${changes.title}: restic takes ${restic.seconds.toFixed(2)} s instead of ${incremental.seconds.toFixed(2)} s.`,
            ]
          : []),
      ];
    }),
  };
}
