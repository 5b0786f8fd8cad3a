import { expect } from '@jest/globals';
import fc from 'fast-check';
import { contracts } from '../../../functions/contracts.ts';
import type { RouteContract } from '../../../functions/shared/contract.ts';
import { routeKeyOf } from '../../../functions/shared/gate.ts';
import { problemSchema } from '../../../functions/shared/problem.ts';
import type { ApiClient } from './api.ts';
import { errorText } from './error-text.ts';
import { addressOf, requestsTo } from './requests.ts';

const routes = new Map(
  contracts.flatMap((contract) =>
    Object.values(contract.routes).map((route): [string, RouteContract] => [routeKeyOf(route), route]),
  ),
);

/** What a good request sets to work for seconds, or keeps from being done for others; that has tests of its own. */
const longWork = new Set([
  'POST /api/disaster-recovery/backup',
  'POST /api/disaster-recovery/failover',
  'POST /api/disaster-recovery/failover/pause',
  'POST /api/disaster-recovery/failover/resume',
]);
/** What would end the key of these tests is done to nobody's key, as nobody has the ids that are made up. */
const requests = fc
  .constantFrom(...routes)
  .chain(([name, route]) => requestsTo(route).map((request) => ({ name, ...request })))
  .filter(({ name, valid }) => !(valid && longWork.has(name)));

/**
 * Sends requests to all routes, about half of them with a mistake. Expects that none is answered by an error of the server,
 * that what is not accepted is refused, and that the audit trail has as many changes of this key as were answered well.
 *
 * @param key an admin key that nobody else uses.
 */
export async function fuzz(call: ApiClient, key: string, runs: number): Promise<void> {
  const started = new Date();
  let good = 0;
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(requests, async ({ name, ...request }) => {
      const route = routes.get(name);
      if (route === undefined) throw new Error(`There is no route ${name}.`);
      const options = route.method === 'GET' ? { key } : { key, body: request.body };
      const answer = await call(route.method, addressOf(route, request), options);
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400 && route.protocol !== undefined) errorText(route, answer, answer.status);
      else if (answer.status >= 400 && answer.headers.get('content-type')?.includes('problem')) {
        problemSchema.parse(answer.body);
      }
      // A broken part of a path can be that of another route, or of none.
      if (!request.valid && route.params === undefined) {
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
      if (answer.status < 300) good++;
      if (answer.status < 300 && route.method !== 'GET' && route.unaudited !== true) changes++;
    }),
    { numRuns: runs },
  );
  // It has to have got through at all.
  expect(good).toBeGreaterThan(runs / 20);

  const query = `actor=${key.slice(4, 12)}&outcome=succeeded&limit=100&from=${started.toISOString()}`;
  const trail = await call('GET', `/api/access/audit?${query}`);
  expect(trail.status).toBe(200);
  expect(Object(trail.body).entries.length).toBe(Math.min(100, changes));
}
