import { rm } from 'node:fs/promises';
import * as z from 'zod';
import type { StateDirectory } from './state-directory.ts';

const server = z.object({ url: z.string(), pid: z.number().int().nullable() });

/** What `.mainstay/local.json` tells programs about the running platform. */
export const localFactsSchema = z.object({
  /** Process of the local runtime. */
  pid: z.number().int(),
  baseUrl: z.url(),
  adminKey: z.string(),
  /** The edge in front of files and API, where the environment has one; the same address speaks TLS. */
  edgeUrl: z.url().optional(),
  /** The emulated AWS: what `AWS_ENDPOINT_URL` has to be. */
  awsEndpointUrl: z.url(),
  /** Credentials that may do everything there. */
  aws: z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), region: z.string() }),
  shards: z.array(z.object({ name: z.string(), writer: server, readers: z.array(server) })),
});
export type LocalFacts = z.output<typeof localFactsSchema>;

/** Writes `local.json` and `aws.env`, both readable by their owner alone. */
export async function writeLocalFiles(state: StateDirectory, facts: LocalFacts): Promise<void> {
  await state.writePrivate('local.json', `${JSON.stringify(facts, null, 2)}\n`);
  await state.writePrivate(
    'aws.env',
    [
      `AWS_ENDPOINT_URL=${facts.awsEndpointUrl}`,
      `AWS_REGION=${facts.aws.region}`,
      // The AWS CLI reads this one.
      `AWS_DEFAULT_REGION=${facts.aws.region}`,
      `AWS_ACCESS_KEY_ID=${facts.aws.accessKeyId}`,
      `AWS_SECRET_ACCESS_KEY=${facts.aws.secretAccessKey}`,
      '',
    ].join('\n'),
  );
}

/** Removes them: they are there while the platform runs, and tell nothing that is no longer so. */
export async function removeLocalFiles(state: StateDirectory): Promise<void> {
  await Promise.all(['local.json', 'aws.env'].map((name) => rm(state.join(name), { force: true })));
}
