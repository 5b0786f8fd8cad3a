import { basename, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

/** As the functions are bundled. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  minify: true,
  keepNames: true,
  legalComments: 'none',
  mainFields: ['module', 'main'],
  external: ['pg-native', 'aws-crt', '@aws-sdk/signature-v4-crt'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'error',
} satisfies BuildOptions;

/**
 * Bundles a script into a directory, so that its process loads and holds no more than a function's does. What it
 * imports on demand stays on demand.
 *
 * @returns the bundle's path.
 */
export async function bundleScript(script: string, directory: string): Promise<string> {
  await build({ ...bundleOptions, entryPoints: [script], outdir: directory, splitting: true });
  return join(directory, basename(script).replace(/\.ts$/, '.mjs'));
}
