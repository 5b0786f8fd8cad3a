import type { LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { DependencyError } from '../../shared/dependency.ts';
import { invoke } from '../../shared/invoke.ts';
import { Problem } from '../../shared/problem.ts';
import { insightsTimeoutMs } from './limits.ts';
import { insightsReportSchema } from './model.ts';

/** What starting the function may take beside its own work, in milliseconds. */
const startMs = 8_000;

/**
 * Has the function inside the network read what the shards count.
 *
 * @throws Problem where there is no such shard, or the function cannot be had.
 */
export async function askInsights(
  { shard }: { shard?: string | undefined },
  client: LambdaClient,
  functionArn: string,
): Promise<z.output<typeof insightsReportSchema>> {
  try {
    const event = shard === undefined ? {} : { shard };
    const within = insightsTimeoutMs + startMs;
    const report = await invoke(client, functionArn, event, insightsReportSchema, within);
    if (shard !== undefined && report.shards.length === 0) {
      throw new Problem('not-found', 'There is no shard of that name.');
    }
    return report;
  } catch (error) {
    if (!(error instanceof DependencyError)) throw error;
    throw new Problem('not-available', 'The statistics of the shards cannot be read now. Try again later.', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
}
