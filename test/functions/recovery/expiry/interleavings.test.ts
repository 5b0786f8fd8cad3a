import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { automationBodySchema } from '../../../../functions/recovery/automation/model.ts';
import { anySteps, runOut, takeSteps } from './support/interleavings.ts';
import { Shelf } from './support/shelf.ts';

let shelf: Shelf;
beforeAll(async () => {
  shelf = await Shelf.open();
  await shelf.rules.seed({ ...automationBodySchema.parse({}), changedAt: '2026-11-01T00:00:00.000Z' });
});
afterAll(() => shelf?.world.close());

it('what a completed backup names is there, in whatever order others begin, commit, fail, expire, are deleted and swept', async () => {
  let completed = 0;
  await fc.assert(
    fc.asyncProperty(anySteps(50), async (steps) => {
      completed += (await takeSteps(shelf, steps)).completed;
      await runOut(shelf);
      // And in the end nothing else.
      expect([...(await shelf.versions())]).toEqual([]);
    }),
    { numRuns: 2, endOnFailure: true },
  );
  expect(completed).toBeGreaterThan(0);
}, 60_000);
