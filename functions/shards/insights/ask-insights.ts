import type { LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { DependencyError } from '../../shared/dependency.ts';
import { invoke } from '../../shared/invoke.ts';
import { Problem } from '../../shared/problem.ts';
import type { MaintenanceStore } from '../maintenance/maintenance-store.ts';
import { insightsTimeoutMs } from './limits.ts';
import { insightsReportSchema, type insightsViewSchema } from './model.ts';

/** What starting the function may take beside its own work, in milliseconds. */
const startMs = 8_000;

/**
 * Has the function inside the network read what the shards count, and adds what their latest maintenance did.
 *
 * @throws Problem where there is no such shard, or the function cannot be had.
 */
export async function askInsights(
  { shard }: { shard?: string | undefined },
  {
    client,
    functionArn,
    store,
  }: { client: LambdaClient; functionArn: string; store: Pick<MaintenanceStore, 'list'> },
): Promise<z.output<typeof insightsViewSchema>> {
  try {
    const event = shard === undefined ? {} : { shard };
    const within = insightsTimeoutMs + startMs;
    const [report, maintained] = await Promise.all([
      invoke(client, functionArn, event, insightsReportSchema, within),
      store.list(),
    ]);
    if (shard !== undefined && report.shards.length === 0) {
      throw new Problem('not-found', 'There is no shard of that name.');
    }
    const latest = new Map(maintained.map((each) => [each.shard, each]));
    return {
      shards: report.shards.map((each) => ({ ...each, maintenance: latest.get(each.shard) ?? null })),
    };
  } catch (error) {
    if (!(error instanceof DependencyError)) throw error;
    throw new Problem('not-available', 'The statistics of the shards cannot be read now. Try again later.', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
}
