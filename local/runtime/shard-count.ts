import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const settingsSchema = z.looseObject({ shards: z.array(z.looseObject({ name: z.string() })).default([]) });
const cdkJsonSchema = z.looseObject({
  context: z.looseObject({
    mainstay: z.looseObject({ environments: z.record(z.string(), settingsSchema).default({}) }),
  }),
});

/**
 * Context for the CDK app by which an environment has so many shards: those of cdk.json first, then `shard-a`, `shard-b` and so on,
 * by whatever of these names is free.
 */
export async function contextWithShards(
  projectDirectory: string,
  environment: string,
  count: number,
): Promise<Record<string, unknown>> {
  const text = await readFile(join(projectDirectory, 'cdk.json'), 'utf8');
  const { mainstay } = cdkJsonSchema.parse(JSON.parse(text)).context;
  const settings = settingsSchema.parse(mainstay.environments[environment] ?? {});
  const shards = settings.shards.slice(0, count);
  for (let letter = 0; shards.length < count; letter += 1) {
    const name = `shard-${String.fromCharCode(97 + letter)}`;
    if (!shards.some((shard) => shard.name === name)) shards.push({ name });
  }
  const environments = { ...mainstay.environments, [environment]: { ...settings, shards } };
  return { mainstay: { ...mainstay, environments } };
}
