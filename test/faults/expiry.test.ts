import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { automationBodySchema } from '../../functions/recovery/automation/model.ts';
import { anySteps, runOut, takeSteps } from '../functions/recovery/expiry/support/interleavings.ts';
import { Shelf } from '../functions/recovery/expiry/support/shelf.ts';

let shelf: Shelf;
beforeAll(async () => {
  shelf = await Shelf.open();
  await shelf.rules.seed({ ...automationBodySchema.parse({}), changedAt: '2026-11-01T00:00:00.000Z' });
});
afterAll(() => shelf?.world.close());

it('no order of steps loses an object that a completed backup names, or leaves one that nothing names', async () => {
  await fc.assert(
    fc.asyncProperty(anySteps(120), async (steps) => {
      await takeSteps(shelf, steps);
      await runOut(shelf);
      expect([...(await shelf.versions())]).toEqual([]);
    }),
    { numRuns: 150, endOnFailure: true },
  );
}, 1_800_000);
