import * as z from 'zod';
import { operator, type Parts } from './parts.ts';

const secretSchema = z.object({ SecretString: z.string() });
const keySchema = z.object({ apiKey: z.string() });

/** Reads the first admin key, which the bootstrap has put into its secret. */
export async function readAdminKey({ endpoint }: Parts, secretArn: string): Promise<string> {
  const value = await endpoint.call(operator, 'secretsmanager', 'GetSecretValue', { SecretId: secretArn });
  return keySchema.parse(JSON.parse(secretSchema.parse(value).SecretString)).apiKey;
}
