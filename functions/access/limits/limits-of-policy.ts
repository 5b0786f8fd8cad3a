import type { AccessPolicy, Tier } from '../policy.ts';
import type { Limit } from './quota.ts';

/** Who has a limit for themselves. */
export type Holder = AccessPolicy['routes'][number]['per'];

/** A limit of a single route. */
export interface RouteLimit extends Limit {
  /** Method and path. */
  readonly route: string;
  readonly per: Holder;
}

/** The limits of a policy, under the names by which callers and statistics know them. */
export interface Limits {
  readonly tiers: Readonly<Record<Tier, Limit>>;
  readonly withoutKey: Limit;
  readonly failedCredentials: Limit;
  readonly routes: readonly RouteLimit[];
}

const minuteMs = 60_000;

/** Makes limits of a policy. Credentials are counted over a window, whatever the algorithm of the tiers. */
export function limitsOf(policy: AccessPolicy): Limits {
  const { algorithm, withoutKey, failedCredentials } = policy;
  const tier = (name: Tier): Limit => ({
    name,
    requests: policy.tiers[name],
    windowMs: minuteMs,
    algorithm,
  });
  return {
    tiers: {
      free: tier('free'),
      starter: tier('starter'),
      professional: tier('professional'),
      enterprise: tier('enterprise'),
    },
    withoutKey: {
      name: 'without-key',
      requests: withoutKey.requests,
      windowMs: withoutKey.windowMinutes * minuteMs,
      algorithm,
    },
    failedCredentials: {
      name: 'failed-credentials',
      requests: failedCredentials.attempts,
      windowMs: failedCredentials.windowMinutes * minuteMs,
      algorithm: 'sliding-window',
    },
    routes: routeLimits(policy),
  };
}

function routeLimits(policy: AccessPolicy): RouteLimit[] {
  const names = new Set<string>();
  return policy.routes.map(({ route, per, requests, windowSeconds, algorithm }, index) => {
    const plain = `${route} per ${per} in ${windowSeconds} s`;
    const name = names.has(plain) ? `${plain} (${index + 1})` : plain;
    names.add(name);
    return { name, route, per, requests, windowMs: windowSeconds * 1000, algorithm };
  });
}
