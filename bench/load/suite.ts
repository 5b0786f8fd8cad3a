import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contracts } from '../../functions/contracts.ts';
import { bundleFunctions } from '../../lib/constructs/bundle.ts';
import { median } from '../measure/statistics.ts';
import { bytes, factor, number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { buildBareHandler } from './bare-handler.ts';
import { type Imports, importsOf } from './imports.ts';
import { loadTime } from './load-time.ts';
import { sampleEnvironment } from './sample-environment.ts';

/** How much longer than a bare handler a function may take to load. */
const aim = 1.5;

/** What a job needs whoever does it: the database, and the encryption of what is stored. */
const libraries = new Set([
  'pg',
  '@aws-crypto/decrypt-node',
  '@aws-crypto/encrypt-node',
  '@aws-crypto/kms-keyring-node',
  '@aws-crypto/material-management-node',
]);

interface Subject {
  name: string;
  bundle: string;
  environment: Record<string, string>;
  /** A handler with the same clients of the AWS SDK; undefined where there are none: nothing loads in no time. */
  bare: string | undefined;
  /** The same with the job's libraries; undefined where it has none. */
  withLibraries: string | undefined;
}

/** Measures how long the module of each function takes to load, beside handlers that do nothing. */
export async function measureLoad(options: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Report> {
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
  try {
    options.progress('bundling the functions');
    const subjects = await prepareSubjects(directory);
    // A load is over in a moment, so some more of them are worth their time.
    const rounds = options.rounds + 2;
    const times = new Map<string, number[]>();
    const take = async (file: string, environment: Record<string, string>) => {
      times.set(file, [...(times.get(file) ?? []), await loadTime(file, environment)]);
    };
    for (let round = 1; round <= rounds; round++) {
      for (const { name, bundle, environment, bare, withLibraries } of subjects) {
        options.progress(`module load, round ${round} of ${rounds}: ${name}`);
        await take(bundle, environment);
        if (bare !== undefined) await take(bare, {});
        if (withLibraries !== undefined) await take(withLibraries, {});
      }
    }
    return await reportOf(subjects, (file) => median(times.get(file) ?? []), rounds);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function prepareSubjects(directory: string): Promise<Subject[]> {
  const bundles = bundleFunctions(contracts);
  const functions = contracts.flatMap(({ name: capability, functions }) =>
    Object.entries(functions).map(([fn, contract]) => ({ capability, fn, contract })),
  );
  return Promise.all(
    functions.map(async ({ capability, fn, contract }) => {
      const bundle = join(bundles.directory(capability, fn), 'index.mjs');
      const imports = await importsOf(`${bundle}.map`);
      const sdk = only(imports, (module) => module.startsWith('@aws-sdk/'));
      const needed = only(imports, (module) => module.startsWith('@aws-sdk/') || libraries.has(module));
      const name = `${capability}-${fn}`;
      return {
        name: `${capability}/${fn}`,
        bundle,
        environment: sampleEnvironment(contract.environment),
        bare: sdk.size === 0 ? undefined : await buildBareHandler(directory, name, sdk),
        withLibraries:
          needed.size === sdk.size
            ? undefined
            : await buildBareHandler(directory, `${name}-libraries`, needed),
      };
    }),
  );
}

const only = (imports: Imports, wanted: (module: string) => boolean): Imports =>
  new Map([...imports].filter(([module]) => wanted(module)));

async function reportOf(
  subjects: readonly Subject[],
  timeOf: (file: string) => number,
  rounds: number,
): Promise<Report> {
  const measured = await Promise.all(
    subjects.map(async ({ name, bundle, bare, withLibraries }) => ({
      name,
      size: (await stat(bundle)).size,
      own: timeOf(bundle),
      bare: bare === undefined ? undefined : timeOf(bare),
      withLibraries: withLibraries === undefined ? undefined : timeOf(withLibraries),
    })),
  );
  const compared = measured.flatMap(({ name, own, bare }) =>
    bare === undefined ? [] : [{ name, share: own / bare }],
  );
  const missed = compared.filter(({ share }) => share > aim);
  const list = missed.map(({ name, share }) => `${name} (${share.toFixed(2)}×)`).join(', ');
  return {
    title: 'Module load of the functions',
    setting: [
      `import() of each bundle in a new Node.js process, in ms; median of ${rounds} rounds.`,
      'Bare: a handler that does nothing, bundled the same way, with the same clients and commands of the AWS SDK.',
      'With libraries: the same, and what the job itself needs: pg, the AWS Encryption SDK.',
    ],
    columns: [
      { title: 'Function' },
      { title: 'bundle', align: 'right' },
      { title: 'load ms', align: 'right' },
      { title: 'bare ms', align: 'right' },
      { title: 'of bare', align: 'right' },
      { title: 'with libraries ms', align: 'right' },
      { title: 'of that', align: 'right' },
    ],
    rows: measured.map(({ name, size, own, bare, withLibraries }) => [
      name,
      bytes(size),
      number(own, 0),
      bare === undefined ? undefined : number(bare, 0),
      bare === undefined ? undefined : factor(own / bare),
      withLibraries === undefined ? undefined : number(withLibraries, 0),
      withLibraries === undefined ? undefined : factor(own / withLibraries),
    ]),
    findings: [
      missed.length === 0
        ? `Every function loads within ${aim}× of a bare handler.`
        : `${compared.length - missed.length} of ${compared.length} functions load within ${aim}× of a bare handler; not: ${list}.`,
    ],
  };
}
