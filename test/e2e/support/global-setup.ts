import { join } from 'node:path';
import { synthesize } from '../../../local/runtime/synth.ts';
import { passableDirectory } from '../../support/temporary-directory.ts';
import { raiseLimits } from './raise-limits.ts';
import { assemblyOf, useParent } from './shared-platform.ts';

/** Synthesizes the app once; the runtimes of all workers run that assembly. */
export default async function setUp(): Promise<void> {
  const parent = await passableDirectory('mainstay-e2e-');
  useParent(parent);
  await synthesize({
    projectDirectory: join(import.meta.dirname, '../../..'),
    outputDirectory: assemblyOf(parent),
    context: { environment: 'local' },
  });
  await raiseLimits(assemblyOf(parent), { withoutKey: 100_000, failedCredentials: 100_000 });
}
