import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { synthesize } from '../../local/runtime/synth.ts';
import type { Machine } from '../../local/step-functions/definition.ts';
import { readDefinition } from '../../local/step-functions/validate.ts';

const root = dirname(dirname(import.meta.dirname));

const templateSchema = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown().optional() })),
});
const stateMachineSchema = z.looseObject({ DefinitionString: z.unknown() });
const joinSchema = z.strictObject({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });

/** How much runs at once in a backup. */
export interface Concurrency {
  readonly shards: number;
  readonly chunks: number;
}

/** The synthesized definition of the backup workflow, with other concurrency. What it refers to has placeholders for names. */
export async function backupMachine({ shards, chunks }: Concurrency): Promise<Machine> {
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-scale-'));
  try {
    await synthesize({ projectDirectory: root, outputDirectory: directory, context: {} });
    return readDefinition(withConcurrency(await findDefinition(directory), { shards, chunks }));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function findDefinition(directory: string): Promise<string> {
  for (const name of (await readdir(directory)).filter((file) => file.endsWith('.template.json'))) {
    const { Resources } = templateSchema.parse(JSON.parse(await readFile(join(directory, name), 'utf8')));
    for (const [id, { Type, Properties }] of Object.entries(Resources)) {
      if (Type !== 'AWS::StepFunctions::StateMachine' || !/BackupWorkflow/.test(id)) continue;
      return textOf(stateMachineSchema.parse(Properties).DefinitionString);
    }
  }
  throw new Error('The templates have no backup workflow');
}

function textOf(definition: unknown): string {
  if (typeof definition === 'string') return definition;
  const [, parts] = joinSchema.parse(definition)['Fn::Join'];
  // A partition stands within a service's ARN; any other reference is the name of something.
  return parts
    .map((part) =>
      typeof part === 'string' ? part : JSON.stringify(part).includes('Partition') ? 'aws' : 'name',
    )
    .join('');
}

/** The Map over shards is the one whose items are in the state; the Map over their chunks is within it. */
function withConcurrency(definition: string, { shards, chunks }: Concurrency): string {
  return JSON.stringify(
    JSON.parse(definition, (_, value: unknown) => {
      const state = z
        .looseObject({ Type: z.literal('Map'), Label: z.string().optional() })
        .safeParse(value).data;
      if (state === undefined) return value;
      return { ...state, MaxConcurrency: state.Label === undefined ? shards : chunks };
    }),
  );
}
