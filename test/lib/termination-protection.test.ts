import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');
const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      properties: z.looseObject({ terminationProtection: z.boolean().default(false) }).optional(),
    }),
  ),
});

/** Whether each stack of an environment is protected, as the CLI will read it. */
function protectionOf(settings: unknown): Record<string, boolean | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'mainstay-assembly-'));
  try {
    execFileSync(process.execPath, ['bin/mainstay.ts'], {
      cwd: root,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        CDK_OUTDIR: directory,
        CDK_VALIDATION: 'false',
        CDK_CONTEXT_JSON: JSON.stringify({ environment: 'x', mainstay: { environments: { x: settings } } }),
      },
    });
    const { artifacts } = manifestSchema.parse(
      JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')),
    );
    const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
    return Object.fromEntries(
      stacks.map(([name, { properties }]) => [name, properties?.terminationProtection]),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('A stack', () => {
  it('can be deleted when its first creation has failed, where no protection is configured', () => {
    expect(protectionOf({})).toEqual({ 'Mainstay-x-Stateful': false, 'Mainstay-x-Platform': false });
  }, 60_000);

  it('cannot be deleted in production', () => {
    const settings = { profile: 'production', region: 'eu-central-1', standby: { region: 'eu-west-1' } };
    expect(Object.entries(protectionOf(settings)).filter(([, isProtected]) => !isProtected)).toEqual([]);
  }, 60_000);
});
