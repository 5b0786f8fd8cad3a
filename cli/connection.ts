import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const localJsonSchema = z.object({
  baseUrl: z.url(),
  adminKey: z.string(),
  awsEndpointUrl: z.url(),
  aws: z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), region: z.string() }),
});

/** Where the platform answers, and with which key. */
export interface Connection {
  baseUrl: string;
  apiKey: string;
  /** The emulated AWS behind a local runtime; absent for a deployed platform. */
  aws?: { endpoint: string; accessKeyId: string; secretAccessKey: string; region: string };
}

/**
 * Finds the platform: `MAINSTAY_URL` and `MAINSTAY_API_KEY`, or else the local runtime whose state
 * is in `MAINSTAY_STATE` (default `.mainstay`).
 *
 * @throws saying what to set or start when neither is there.
 */
export async function connectionFrom(env: NodeJS.ProcessEnv): Promise<Connection> {
  if (env.MAINSTAY_URL !== undefined) {
    if (env.MAINSTAY_API_KEY === undefined)
      throw new Error('MAINSTAY_URL is set; set MAINSTAY_API_KEY as well.');
    return { baseUrl: env.MAINSTAY_URL, apiKey: env.MAINSTAY_API_KEY };
  }
  const file = join(env.MAINSTAY_STATE ?? '.mainstay', 'local.json');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`Nothing is running here (${file} is not there). Start it with \`npm start\`.`);
  });
  const { baseUrl, adminKey, awsEndpointUrl, aws } = localJsonSchema.parse(JSON.parse(text));
  return { baseUrl, apiKey: adminKey, aws: { endpoint: awsEndpointUrl, ...aws } };
}
