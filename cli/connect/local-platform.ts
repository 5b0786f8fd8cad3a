import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const localJsonSchema = z.object({
  baseUrl: z.url(),
  edgeUrl: z.url().optional(),
  adminKey: z.string(),
  awsEndpointUrl: z.url(),
  aws: z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), region: z.string() }),
  shards: z.array(z.object({ name: z.string(), writer: z.object({ url: z.url() }) })),
});

/** What a local runtime tells programs about itself, beyond address and key. */
export interface LocalPlatform {
  aws: { endpoint: string; accessKeyId: string; secretAccessKey: string; region: string };
  /** Superuser's URL of the writer of each shard, by name. */
  writers: ReadonlyMap<string, string>;
  /** Where the example's website is served by the edge, where there is one. */
  edgeUrl?: string;
}

/** The local runtime whose state is in `MAINSTAY_STATE` (default `.mainstay`); undefined when none is running. */
export async function localPlatform(env: NodeJS.ProcessEnv) {
  const text = await readFile(localFile(env), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { baseUrl, adminKey, awsEndpointUrl, aws, shards, edgeUrl } = localJsonSchema.parse(JSON.parse(text));
  const local: LocalPlatform = {
    aws: { endpoint: awsEndpointUrl, ...aws },
    writers: new Map(shards.map(({ name, writer }) => [name, writer.url])),
    ...(edgeUrl !== undefined && { edgeUrl }),
  };
  return { baseUrl, apiKey: adminKey, local };
}

/** Where a running local runtime says how to reach it. */
export function localFile(env: NodeJS.ProcessEnv): string {
  return join(env.MAINSTAY_STATE || '.mainstay', 'local.json');
}
