import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { contracts } from '../../functions/contracts.ts';
import type { RouteContract } from '../../functions/shared/contract.ts';
import { routeKeyOf } from '../../functions/shared/gate.ts';
import { problemSchema } from '../../functions/shared/problem.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { createKey } from './support/aws.ts';
import { addressOf, requestsTo } from './support/requests.ts';
import { sharedPlatform } from './support/shared-platform.ts';

jest.setTimeout(120_000);

const routes = new Map(
  contracts.flatMap((contract) =>
    Object.values(contract.routes).map((route): [string, RouteContract] => [routeKeyOf(route), route]),
  ),
);

/** What a good request sets to work for seconds; that has tests of its own. */
const longWork = new Set(['POST /api/disaster-recovery/backup']);
/** What would end the key of these tests is done to nobody's key, as nobody has the ids that are made up. */
const requests = fc
  .constantFrom(...routes)
  .chain(([name, route]) => requestsTo(route).map((request) => ({ name, ...request })))
  .filter(({ name, valid }) => !(valid && longWork.has(name)));

describe('whatever is sent to a route', () => {
  let call: ApiClient;
  let key: string;

  beforeAll(async () => {
    const local = await sharedPlatform();
    call = apiClient(local);
    key = await createKey(local, ['admin']);
  });

  it('is answered without an error of the server, and what is not accepted changes nothing', async () => {
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
        if (answer.status >= 400 && answer.headers.get('content-type')?.includes('problem')) {
          problemSchema.parse(answer.body);
        }
        // A broken part of a path can be that of another route, or of none.
        if (!request.valid && route.params === undefined) {
          expect(answer.status).toBeGreaterThanOrEqual(400);
        }
        if (answer.status < 300) good++;
        if (answer.status < 300 && route.method !== 'GET') changes++;
      }),
      { numRuns: 250 },
    );
    // It has to have got through at all.
    expect(good).toBeGreaterThan(20);

    const id = key.slice(4, 12);
    const query = `actor=${id}&outcome=succeeded&limit=100&from=${started.toISOString()}`;
    const trail = await call('GET', `/api/access/audit?${query}`);
    expect(trail.status).toBe(200);
    const { entries } = Object(trail.body);
    expect(entries.length).toBe(Math.min(100, changes));
  });
});
