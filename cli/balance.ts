import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { balanceRoutes } from '../functions/shards/balance/routes.ts';
import {
  type AnalysisView,
  analysisViewSchema,
  type Recommendation,
  recommendationSchema,
  runViewSchema,
} from '../functions/shards/balance/views.ts';
import type { ApiClient } from './api-client.ts';

/** What `mainstay balance` shows. */
export interface BalanceReport {
  analysis: AnalysisView;
  plan: Recommendation;
}

/** What the plan is asked for with; what is not given is the deployment's. */
export interface PlanWish {
  threshold?: number | undefined;
  maxMoves?: number | undefined;
  add?: string | undefined;
  drain?: string | undefined;
}

const { analyze, recommend } = balanceRoutes;
const answerSchema = z.union([analysisViewSchema, runViewSchema]);
/** How long an analysis may take: as long as its function. */
const patienceMs = 16 * 60_000;

/**
 * Reads how even the shards are, and what to move. An analysis that runs, or that has to be made first, is waited for.
 *
 * @param waiting called once, when there is something to wait for.
 * @param intervalMs how often it is asked for meanwhile, in milliseconds.
 * @throws Error when there is none in time.
 */
export async function readBalance(
  client: ApiClient,
  wish: PlanWish,
  {
    fresh,
    signal,
    waiting,
    intervalMs = 1_000,
  }: { fresh: boolean; signal: AbortSignal; waiting: () => void; intervalMs?: number },
): Promise<BalanceReport> {
  const started = performance.now();
  let told = false;
  let answer = await client.call('GET', `${analyze.path}${fresh ? '?fresh=true' : ''}`, answerSchema);
  const before = 'shards' in answer ? undefined : answer.startedAt;
  while (!isReady(answer, before)) {
    if (!told) waiting();
    told = true;
    if (performance.now() - started > patienceMs)
      throw new Error('The shards have not been analyzed in time.');
    await sleep(intervalMs, undefined, { signal });
    answer = await client.call('GET', analyze.path, answerSchema);
  }
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wish)) if (value !== undefined) query.set(name, String(value));
  const asked = query.size > 0 ? `?${query}` : '';
  return {
    analysis: answer,
    plan: await client.call('GET', `${recommend.path}${asked}`, recommendationSchema),
  };
}

/** Whether an analysis is there that ended after it was waited for. */
function isReady(answer: z.output<typeof answerSchema>, since: string | undefined): answer is AnalysisView {
  if (!('shards' in answer)) return false;
  if (since === undefined) return true;
  return answer.run?.state !== 'running' && (answer.run?.finishedAt ?? '') >= since;
}
