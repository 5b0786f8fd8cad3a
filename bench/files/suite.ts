import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../cli/units.ts';
import { sizeOf } from '../backup/peers/place.ts';
import { BenchStore, s3Client } from '../backup/store.ts';
import { runShells } from '../measure/shell.ts';
import { median } from '../measure/statistics.ts';
import { runTogether } from '../measure/together.ts';
import { versionOf } from '../measure/tools.ts';
import { bytes, number } from '../report/figures.ts';
import type { Outcome } from '../report/report.ts';
import { large, makeFixture, small } from './fixture.ts';
import { resultSchema } from './job.ts';

interface Round {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly storedBytes: number;
  readonly peakRssBytes: number | undefined;
}
interface Candidate {
  readonly name: string;
  readonly run: () => Promise<Round>;
}

const script = join(import.meta.dirname, 'lane-main.ts');

/** Measures backups of many small files and a few large ones, beside restic. */
export async function measureFiles(options: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  options.progress('files: making them');
  const store = await BenchStore.start();
  stack.defer(() => store.close());
  const s3 = s3Client(store.facts);
  stack.defer(() => s3.destroy());
  const fixture = stack.use(await makeFixture(s3));
  const restic = await versionOf('restic', 'version');
  const candidates = [
    own('Mainstay: copy', store, fixture.bucket, false),
    own('Mainstay: copy and read back', store, fixture.bucket, true),
    ...(restic === undefined ? [] : [resticOf(fixture.directory)]),
  ];
  const rounds = new Map<string, Round[]>();
  for (let round = 1; round <= options.rounds; round++) {
    for (const { name, run } of candidates) {
      options.progress(`files, round ${round} of ${options.rounds}: ${name}`);
      rounds.set(name, [...(rounds.get(name) ?? []), await run()]);
      await store.clear();
    }
  }
  const total = small.count * small.bytes + large.count * large.bytes;
  const middle = (name: string, of: (round: Round) => number) => median((rounds.get(name) ?? []).map(of));
  const speed = (name: string) => total / 1e6 / middle(name, ({ seconds }) => seconds);
  return {
    setting: restic === undefined ? [] : [restic],
    missing: restic === undefined ? ['restic: apt-get install restic'] : [],
    reports: [
      {
        title: 'Backup of files',
        setting: [
          `${small.count} files of ${formatBytes(small.bytes)}, half of each random, and ${large.count} random ones of ${formatBytes(large.bytes)}.`,
          'Mainstay reads them from the local runtime’s S3 over HTTP and writes there, in one process; restic reads and writes a directory.',
        ],
        columns: [
          { title: 'Candidate' },
          { title: 'seconds', align: 'right' },
          { title: 'MB/s', align: 'right' },
          { title: 'CPU s', align: 'right' },
          { title: 'stored', align: 'right' },
          { title: 'memory', align: 'right' },
        ],
        rows: candidates.map(({ name }) => [
          name,
          number(
            middle(name, ({ seconds }) => seconds),
            2,
          ),
          number(speed(name), 1),
          number(
            middle(name, ({ cpuSeconds }) => cpuSeconds),
            2,
          ),
          bytes(middle(name, ({ storedBytes }) => storedBytes)),
          bytes(middle(name, ({ peakRssBytes }) => peakRssBytes ?? 0)),
        ]),
        findings:
          restic === undefined
            ? []
            : [`Copying is ${(speed('Mainstay: copy') / speed(resticName)).toFixed(2)}× as fast as restic.`],
      },
    ],
  };
}

function own(name: string, store: BenchStore, assets: string, verify: boolean): Candidate {
  return {
    name,
    run: async () => {
      const job = { store: store.facts, assets, verify };
      const { seconds, results } = await runTogether(script, [job], resultSchema);
      const [result] = results;
      if (result?.files !== small.count + large.count)
        throw new Error(`${name} copied ${result?.files} files`);
      return { seconds, ...result };
    },
  };
}

const resticName = 'restic backup';

function resticOf(directory: string): Candidate {
  const repository = `${directory}-restic`;
  const restic = `restic -r '${repository}' --no-cache -q`;
  const env = { RESTIC_PASSWORD: 'only for this run' };
  return {
    name: resticName,
    run: async () => {
      try {
        await runShells([`${restic} init`], { env });
        const result = await runShells([`${restic} backup '${directory}'`], { env });
        return { ...result, storedBytes: await sizeOf(repository) };
      } finally {
        await rm(repository, { recursive: true, force: true });
      }
    },
  };
}
