import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { admitted, newCaller, processOf, request, route } from './samples.ts';

const jobSchema = z.object({
  url: z.string(),
  keyId: z.string(),
  settings: z.record(z.string(), z.unknown()),
  now: z.number(),
});
export type Job = z.output<typeof jobSchema>;

/** Makes requests until one is refused, and says how many were let in. */
async function work({ url, keyId, settings, now }: Job): Promise<number> {
  const base = new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const limits = processOf(DynamoDBDocumentClient.from(base), settings, () => now);
  const caller = newCaller({ keyId });
  let count = 0;
  while (await admitted(limits.ofCaller(request(), caller, route))) count++;
  base.destroy();
  return count;
}

process.once('message', async (message) => {
  const count = await work(jobSchema.parse(message));
  process.send?.({ count }, () => process.disconnect());
});
