import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import type { LogDelivery } from './delivery.ts';

/** The most that a delivery unpacks to; CloudWatch Logs sends at most 1 MB as packed. */
const mostBytes = 64 * 1024 * 1024;

const batchSchema = z.looseObject({
  messageType: z.enum(['DATA_MESSAGE', 'CONTROL_MESSAGE']),
  logGroup: z.string(),
  logEvents: z.array(z.looseObject({ id: z.string(), timestamp: z.number(), message: z.string() })),
});
export type LogBatch = z.output<typeof batchSchema>;

/**
 * Unpacks a delivery.
 *
 * @returns `undefined` for a control message, by which CloudWatch Logs finds out whether anybody is there.
 * @throws for what CloudWatch Logs does not send.
 */
export function unpackDelivery({ awslogs }: LogDelivery): LogBatch | undefined {
  const text = gunzipSync(Buffer.from(awslogs.data, 'base64'), { maxOutputLength: mostBytes }).toString();
  const batch = batchSchema.parse(JSON.parse(text));
  return batch.messageType === 'DATA_MESSAGE' ? batch : undefined;
}
