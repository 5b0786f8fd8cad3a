import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FileSystem } from 'aws-cdk-lib';
import { type BuildFailure, type BuildOptions, buildSync } from 'esbuild';
import type { CapabilityContract } from '../../functions/shared/contract.ts';
import { type BundleRecord, findBundle, pruneBundles, recordBundle } from './bundle-cache.ts';

const root = dirname(dirname(import.meta.dirname));
const cacheDirectory = join(root, '.cache', 'bundles');

/** Functions that do not bundle. The message has one line per problem. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/** The bundles of all functions, by capability and function. */
export interface Bundles {
  /** Directory with the bundle of one function: `index.mjs`, its source map, its files and workers. */
  directory(capability: string, fn: string): string;
  /** Changes when the code of a capability's functions does. */
  revisionOf(capability: string): string;
}

/** What a bundle is made of; also the key under which it is kept. */
const options = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  minify: true,
  // Step Functions, logs and problem details tell errors apart by their names.
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  charset: 'utf8',
  mainFields: ['module', 'main'],
  // Optional native parts of pg and of the SDK that are not installed.
  external: ['pg-native', 'aws-crt', '@aws-sdk/signature-v4-crt'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'silent',
  absWorkingDir: root,
} satisfies BuildOptions & { metafile: true };

/**
 * Bundles every function of the contracts in a few passes of esbuild, or finds the bundles of an earlier
 * pass when nothing that went into them has changed.
 *
 * @throws {BundleError} when an entry point, a worker or a file of a contract does not exist or does not build; the
 *   message names each.
 */
export function bundleFunctions(contracts: readonly CapabilityContract[]): Bundles {
  const key = JSON.stringify({ options, contracts: contracts.map(filesOf) });
  const record = findBundle(cacheDirectory, key) ?? build(contracts, key);
  const directory = (...path: string[]) => join(cacheDirectory, record.directory, ...path);
  return {
    directory,
    revisionOf: (capability) => FileSystem.fingerprint(directory(capability)).slice(0, 16),
  };
}

function build(contracts: readonly CapabilityContract[], key: string): BundleRecord {
  const outdir = join(cacheDirectory, `building-${process.pid}-${randomUUID()}`);
  try {
    const inputs = bundleAll(contracts.flatMap(entryPointsOf), outdir);
    const copied = contracts.flatMap((contract) => copyFiles(contract, outdir));
    const record = recordBundle(key, [...inputs, ...copied]);
    const directory = join(cacheDirectory, record.directory);
    // Another synth may have made the same in the meantime, and be reading it.
    if (!existsSync(directory)) renameSync(outdir, directory);
    record.save(cacheDirectory);
    pruneBundles(cacheDirectory, record.directory);
    return record;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Functions that one pass bundles: all at once, esbuild takes gigabytes of memory. */
const groupSize = 24;

/** @returns what went into the bundles. @throws {BundleError} naming all that does not build. */
function bundleAll(entryPoints: readonly EntryPoint[], outdir: string): Set<string> {
  const inputs = new Set<string>();
  const complaints: string[] = [];
  for (let from = 0; from < entryPoints.length; from += groupSize) {
    try {
      const group = entryPoints.slice(from, from + groupSize);
      const { metafile } = buildSync({ ...options, entryPoints: group, outdir });
      for (const input of Object.keys(metafile.inputs)) inputs.add(input);
    } catch (error) {
      if (!isBuildFailure(error)) throw error;
      complaints.push(
        ...error.errors.map(({ text, location }) =>
          location === null ? text : `${location.file}:${location.line}: ${text}`,
        ),
      );
    }
  }
  if (complaints.length > 0) throw new BundleError(complaints.sort().join('\n'));
  return inputs;
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors);
}

interface EntryPoint {
  in: string;
  out: string;
}

function entryPointsOf(contract: CapabilityContract): EntryPoint[] {
  return Object.entries(contract.functions).flatMap(([fn, { workers = [] }]) =>
    [{ module: fn, output: 'index' }, ...workers.map((worker) => ({ module: worker, output: worker }))].map(
      ({ module, output }) => ({
        in: `functions/${contract.name}/${module}.ts`,
        out: `${contract.name}/${fn}/${output}`,
      }),
    ),
  );
}

function filesOf(contract: CapabilityContract) {
  return {
    entryPoints: entryPointsOf(contract),
    files: Object.values(contract.functions).map(({ files }) => files),
  };
}

/** Copies what a contract lists as `files` beside the bundles, and returns where it came from. */
function copyFiles(contract: CapabilityContract, outdir: string): string[] {
  return Object.entries(contract.functions).flatMap(([fn, { files = [] }]) =>
    files.map((file) => {
      const source = join('node_modules', file);
      if (!existsSync(join(root, source)))
        throw new BundleError(`${contract.name}/${fn}: there is no ${source}`);
      const directory = join(outdir, contract.name, fn);
      mkdirSync(directory, { recursive: true });
      cpSync(join(root, source), join(directory, basename(file)));
      return source;
    }),
  );
}
