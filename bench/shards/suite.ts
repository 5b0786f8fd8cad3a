import type { Outcome } from '../report/report.ts';
import { measureCounting } from './counting.ts';
import { measureMoves } from './moving.ts';
import { measurePlans } from './planning.ts';
import { measureRoutes } from './routing.ts';

export interface ShardSuiteOptions {
  /** COPY text of the table that is counted, in MB. */
  sizeMb: number;
  rounds: number;
  progress: (text: string) => void;
}

/** Measures routes, plans and what they move, and the analysis of a table, beside other ways. */
export async function measureShards(options: ShardSuiteOptions): Promise<Outcome> {
  const routes = await measureRoutes(options);
  const plans = measurePlans(options);
  const moves = measureMoves(options);
  const { report, version } = await measureCounting(options);
  return { setting: [`PostgreSQL ${version}`], reports: [routes, plans, ...moves, report], missing: [] };
}
