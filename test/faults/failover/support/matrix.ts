import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ledger } from '../../../e2e/support/ledger.ts';
import type { Deployment } from './deployment.ts';
import { lineOf, percentile, tableOf } from './report.ts';
import { attempt, type Scenario } from './trial.ts';
import { TrialFile } from './trial-file.ts';

/** How often each scenario is tried; `FAILOVER_RUNS` says otherwise. */
const runs = Number(process.env.FAILOVER_RUNS ?? 20);
/** A file that trials are kept in: those that are there count, and are not run again. A file for each matrix. */
const kept = process.env.FAILOVER_TRIALS;
/** Decision to first write, at the 95th percentile, in milliseconds. */
const aimMs = 2000;

interface Matrix {
  title: string;
  start(): Promise<Deployment>;
  /** The shard that is struck, and one beside it that has to notice nothing. */
  shard: string;
  healthy: string;
  scenarios: readonly Scenario[];
  /** Scenarios in which acknowledged writes are lost by what they are: without a second copy, or by consent. */
  mayLose: readonly string[];
}

/** Tries every scenario so many times, and prints what came of it. */
export function matrixOf({ title, start, shard, healthy, scenarios, mayLose }: Matrix): void {
  describe(title, () => {
    const file = new TrialFile(kept);
    let deployment: Deployment;
    let bystander: Ledger;

    beforeAll(async () => {
      deployment = await start();
      bystander = await Ledger.start(await deployment.route(healthy), `bystander ${Date.now()}`, 1);
    }, 300_000);

    afterAll(async () => {
      process.stdout.write(`\n${title}\n\n${tableOf(scenarios.flatMap(({ name }) => file.of(name)))}\n`);
      await bystander?.stop();
      await deployment?.stop();
    }, 60_000);

    it.each(scenarios)(
      '$name',
      async (scenario) => {
        for (let run = file.of(scenario.name).length; run < runs; run++) {
          const trial = await attempt(deployment, shard, scenario, run);
          file.add(trial);
          process.stderr.write(`${run + 1}/${runs} ${lineOf(trial)}\n`);
        }
        const mine = file.of(scenario.name);
        expect(mine.filter(({ right }) => !right)).toEqual([]);
        expect(mine.filter(({ afterFence = 0, lostByNew }) => afterFence + lostByNew > 0)).toEqual([]);
        if (!mayLose.includes(scenario.name)) expect(mine.filter(({ lost }) => lost > 0)).toEqual([]);
      },
      runs * 300_000,
    );

    it('takes at most two seconds from decision to first write, in nineteen runs of twenty', () => {
      const times = file.trials
        .filter(({ scenario }) => !scenario.startsWith('function killed'))
        .map(({ decisionToWriteMs }) => decisionToWriteMs)
        .filter((ms) => ms !== undefined)
        .sort((a, b) => a - b);
      expect(percentile(times, 0.95)).toBeLessThanOrEqual(aimMs);
    });

    it('is not noticed by another shard', () => {
      expect(bystander.unknown).toBe(0);
      expect(bystander.longestGapMs(bystander.acknowledged[0]?.at ?? 0)).toBeLessThan(aimMs);
    });
  });
}
