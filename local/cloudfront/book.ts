import type { KeyObject } from 'node:crypto';
import { AwsError } from '../aws/operation.ts';
import type {
  Behavior,
  CachePolicyConfig,
  Distribution,
  DistributionTenant,
  Origin,
  ResponseHeadersConfig,
} from './definition.ts';
import { allViewerExceptHostHeader, managedCachePolicies } from './managed-policies.ts';

/** Where a host name leads. */
export interface Place {
  distribution: Distribution;
  /** The website of a multi-tenant distribution. */
  tenant?: DistributionTenant;
  /** What the caches of distributions and tenants are kept apart by. */
  owner: string;
}

/** Distributions and what they refer to, as the template has them. */
export class DistributionBook {
  readonly distributions = new Map<string, Distribution>();
  readonly tenants = new Map<string, DistributionTenant>();
  readonly cachePolicies = new Map<string, CachePolicyConfig>();
  readonly headersPolicies = new Map<string, ResponseHeadersConfig>();
  readonly publicKeys = new Map<string, KeyObject>();
  /** Ids of public keys, by the id of their group. */
  readonly keyGroups = new Map<string, readonly string[]>();

  /**
   * Adds a distribution, or replaces it.
   *
   * @throws for what it refers to and is not there, or is not emulated.
   */
  addDistribution(distribution: Distribution): void {
    const { config } = distribution;
    for (const behavior of [config.DefaultCacheBehavior, ...config.CacheBehaviors]) {
      this.cachePolicy(behavior);
      this.headersPolicy(behavior);
      this.keysOf(behavior);
      this.origin(distribution, behavior);
      const policy = behavior.OriginRequestPolicyId;
      if (policy !== undefined && policy !== allViewerExceptHostHeader) {
        throw new Error(`The local runtime does not emulate the origin request policy ${policy}.`);
      }
    }
    this.distributions.set(distribution.id, distribution);
  }

  /** @throws `NoSuchDistribution` (404). */
  distribution(id: string): Distribution {
    const found = this.distributions.get(id);
    if (found === undefined) {
      throw new AwsError('NoSuchDistribution', 'The specified distribution does not exist.', 404);
    }
    return found;
  }

  /** A tenant by its id, ARN, or name. @throws `EntityNotFound` (404). */
  tenant(identifier: string): DistributionTenant {
    return existing(
      this.tenants.get(identifier) ??
        [...this.tenants.values()].find(({ arn, name }) => arn === identifier || name === identifier),
    );
  }

  /** The tenant that has a domain. @throws `EntityNotFound` (404). */
  tenantOf(domain: string): DistributionTenant {
    return existing([...this.tenants.values()].find(({ domains }) => domains.includes(domain)));
  }

  /**
   * Where requests for a host name go: to the tenant or the distribution that has it, else to the first distribution
   * that takes requests without one, because here the address of the edge is the name of them all.
   */
  placeOf(host: string): Place | undefined {
    const name = host.replace(/:\d+$/, '').toLowerCase();
    for (const tenant of this.tenants.values()) {
      const distribution = this.distributions.get(tenant.distributionId);
      if (distribution !== undefined && tenant.enabled && tenant.domains.includes(name)) {
        return { distribution, tenant, owner: tenant.id };
      }
    }
    const distributions = [...this.distributions.values()];
    const distribution =
      distributions.find(({ config }) => config.Aliases.includes(name)) ??
      distributions.find(({ config }) => config.ConnectionMode === 'direct' && config.Enabled);
    return distribution && { distribution, owner: distribution.id };
  }

  cachePolicy({ CachePolicyId: id }: Behavior): CachePolicyConfig {
    const managed = Object.hasOwn(managedCachePolicies, id) ? managedCachePolicies[id] : undefined;
    return required(this.cachePolicies.get(id) ?? managed, `cache policy ${id}`);
  }

  headersPolicy({ ResponseHeadersPolicyId: id }: Behavior): ResponseHeadersConfig | undefined {
    return id === undefined
      ? undefined
      : required(this.headersPolicies.get(id), `response headers policy ${id}`);
  }

  /** The keys whose signatures a behavior asks for, by their ids; none when it asks for none. */
  keysOf({ TrustedKeyGroups }: Behavior): Map<string, KeyObject> {
    const ids = TrustedKeyGroups.flatMap((id) => required(this.keyGroups.get(id), `key group ${id}`));
    return new Map(ids.map((id) => [id, required(this.publicKeys.get(id), `public key ${id}`)]));
  }

  origin({ config }: Distribution, { TargetOriginId: id }: Behavior): Origin {
    return required(
      config.Origins.find((origin) => origin.Id === id),
      `origin ${id}`,
    );
  }
}

function existing(tenant: DistributionTenant | undefined): DistributionTenant {
  if (tenant !== undefined) return tenant;
  throw new AwsError('EntityNotFound', 'The specified distribution tenant does not exist.', 404);
}

function required<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new Error(`The local edge has no ${what}.`);
  return found;
}
