import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import type { AccessPolicy } from '../policy.ts';
import type { Limited, limitRoutes, ShownPolicy } from './contract.ts';
import { type Limits, limitsOf } from './limits-of-policy.ts';
import type { Limit } from './quota.ts';
import { RefusalStore } from './refusal-store.ts';
import { mostRefused } from './refusal-totals.ts';

export interface LimitDependencies {
  readonly client: DynamoDBDocumentClient;
  /** Table of limits: `Query`. */
  readonly table: string;
  readonly policy: AccessPolicy;
  /** Milliseconds of the Unix epoch. */
  readonly now: () => number;
}

/** The hour up to which the first page counted, and how many of its totals were shown. */
const positionSchema = z.tuple([z.int().min(0), z.int().min(1)]);
const hourMs = 3_600_000;

/** The routes of rate limits. */
export function limitHandlers(deps: LimitDependencies): RouteHandlers<typeof limitRoutes> {
  const store = new RefusalStore(deps.client, deps.table);
  const policies = shownPolicies(limitsOf(deps.policy));

  return {
    getLimits: async ({ query: { hours, limit, nextToken } }) => {
      const position = decodeToken('limits', positionSchema, nextToken);
      const [lastHour, from] = position ?? [Math.floor(deps.now() / hourMs), 0];
      const { totals, complete } = await mostRefused((hour) => store.ofHour(hour), lastHour, hours);
      const page = totals.slice(from, from + limit);
      const shown = from + page.length;
      return {
        status: 200,
        body: {
          limited: page.map(
            ({ lastAt, ...refusals }): Limited => ({ ...refusals, lastAt: new Date(lastAt).toISOString() }),
          ),
          policies,
          complete,
          nextToken: shown < totals.length ? encodeToken('limits', [lastHour, shown]) : null,
        },
      };
    },
  };
}

function shownPolicies({ tiers, withoutKey, failedCredentials, routes }: Limits): ShownPolicy[] {
  const show = (limit: Limit, per: ShownPolicy['per'], route: string | null): ShownPolicy => ({
    name: limit.name,
    requests: limit.requests,
    windowSeconds: limit.windowMs / 1000,
    algorithm: limit.algorithm,
    per,
    route,
  });
  return [
    ...Object.values(tiers).map((tier) => show(tier, 'key', null)),
    show(withoutKey, 'address', null),
    show(failedCredentials, 'address', null),
    ...routes.map((limit) => show(limit, limit.per, limit.route)),
  ];
}
