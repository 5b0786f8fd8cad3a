import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { createApp } from '../../lib/app.ts';
import type { Bundles } from '../../lib/constructs/bundle.ts';

/*
 * Synthesizes what standard input asks for and writes its templates by the names of their stacks. A process of its own loads the
 * CDK in a fifth of the time that it takes inside a test.
 */

const requestSchema = z.object({ environment: z.string(), settings: z.unknown() });

/** Bundles that hold nothing, for tests that look at templates only. */
function emptyBundles(directory: string): Bundles {
  mkdirSync(directory);
  writeFileSync(join(directory, 'index.mjs'), 'export const handler = async () => ({});\n');
  return { directory: () => directory, revisionOf: () => 'revision' };
}

const { environment, settings } = requestSchema.parse(await json(process.stdin));
const directory = mkdtempSync(join(tmpdir(), 'mainstay-synth-'));
try {
  const app = createApp({
    context: { environment, mainstay: { environments: { [environment]: settings } } },
    bundles: emptyBundles(join(directory, 'bundle')),
    outdir: join(directory, 'cdk.out'),
  });
  const stacks = app
    .synth()
    .stacks.map(({ stackName, template }): [string, unknown] => [stackName, template]);
  process.stdout.write(JSON.stringify(Object.fromEntries(stacks)));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
