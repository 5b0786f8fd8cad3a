import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Trial } from './trial.ts';

const ms = z.number().optional();
const trialSchema = z.object({
  scenario: z.string(),
  right: z.boolean(),
  found: z.string(),
  acknowledged: z.number(),
  lost: z.number(),
  lostByNew: z.number(),
  foreign: z.number(),
  details: z.string(),
  afterFence: z.number().optional(),
  ...{ decisionMs: ms, promotionMs: ms, firstWriteMs: ms, decisionToWriteMs: ms },
  gapMs: z.number(),
});

/**
 * Where trials are kept between runs, a line of JSON each: hours of them need not be one process, nor begin anew when it ends early.
 *
 * @param path without it nothing is kept.
 */
export class TrialFile {
  readonly trials: Trial[] = [];
  readonly #path: string | undefined;

  constructor(path: string | undefined) {
    this.#path = path;
    if (path === undefined || !existsSync(path)) return;
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
    this.trials.push(...lines.map((line) => trialSchema.parse(JSON.parse(line))));
  }

  of(scenario: string): Trial[] {
    return this.trials.filter((trial) => trial.scenario === scenario);
  }

  add(trial: Trial): void {
    this.trials.push(trial);
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(trial)}\n`);
  }
}
