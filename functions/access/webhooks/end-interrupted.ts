import type { DeliveryStore } from './delivery-store.ts';
import { attemptWorkSchema, type ExecutionReport } from './workflow.ts';

/**
 * Ends the delivery of an execution that did not end by itself, so that it can be replayed.
 *
 * @returns whether there was one to end.
 */
export async function endInterrupted(
  deliveries: DeliveryStore,
  { detail }: ExecutionReport,
  now: number,
): Promise<boolean> {
  const work = attemptWorkSchema.safeParse(parseJson(detail.input ?? '')).data;
  if (work === undefined) return false;
  return deliveries.end(work.webhookId, work.deliveryId, work.run, {
    state: 'failed',
    finishedAt: new Date(now).toISOString(),
    error: {
      code: 'interrupted',
      message: `Its execution ended as ${detail.status}${detail.error ? `: ${detail.error}` : ''}.`,
    },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
