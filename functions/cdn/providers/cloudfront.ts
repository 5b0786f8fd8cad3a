import {
  type CloudFrontClient,
  CreateInvalidationCommand,
  CreateInvalidationForDistributionTenantCommand,
  type DistributionTenant,
  GetDistributionCommand,
  GetDistributionTenantByDomainCommand,
  GetDistributionTenantCommand,
  GetInvalidationCommand,
  GetInvalidationForDistributionTenantCommand,
  type Invalidation,
  type InvalidationBatch,
  ListInvalidationsCommand,
} from '@aws-sdk/client-cloudfront';
import type { CircuitBreaker } from '../../shared/circuit-breaker.ts';
import { abilitiesOf } from './abilities.ts';
import { guard, isMissing } from './cloudfront-errors.ts';
import { ProviderUnreachableError, UnknownSiteError } from './errors.ts';
import type {
  EdgeProvider,
  Limits,
  ProviderStatus,
  PurgeItems,
  Site,
  Submission,
  Target,
} from './provider.ts';
import type { SettingsOf } from './settings.ts';
import { isNamed, nameOf, ownSite, unknownSite } from './sites.ts';

const limits: Limits = {
  // A third of what may be in progress: a large purge goes on beside others.
  perCall: { paths: 1_000, prefixes: 15, tags: 1_000 },
  inProgress: { paths: 3_000, prefixes: 15 },
};

/** Amazon CloudFront: a distribution, the tenants of a multi-tenant one, and distributions of single websites. */
export class CloudFront implements EdgeProvider {
  readonly kind = 'cloudfront';
  readonly abilities = abilitiesOf.cloudfront;
  readonly limits = limits;
  readonly #client: CloudFrontClient;
  readonly #settings: SettingsOf<'cloudfront'>;
  readonly #breaker: CircuitBreaker;

  constructor(client: CloudFrontClient, settings: SettingsOf<'cloudfront'>, breaker: CircuitBreaker) {
    this.#client = client;
    this.#settings = settings;
    this.#breaker = breaker;
  }

  async status(): Promise<ProviderStatus> {
    const { distributionId: Id, domain } = this.#settings;
    const [{ Distribution }, { InvalidationList }] = await this.#call(() =>
      Promise.all([
        this.#client.send(new GetDistributionCommand({ Id })),
        this.#client.send(new ListInvalidationsCommand({ DistributionId: Id, MaxItems: 100 })),
      ]),
    );
    const open = InvalidationList?.Items?.filter(({ Status }) => Status === 'InProgress') ?? [];
    return {
      id: Id,
      domain,
      enabled: Distribution?.DistributionConfig?.Enabled === true,
      state: Distribution?.Status ?? 'unknown',
      purgesInProgress: open.length,
    };
  }

  async target(site: Site): Promise<Target> {
    const { distributionId, domain, websites, multiTenant } = this.#settings;
    if (!isNamed(site)) return { kind: 'distribution', id: distributionId, domain, shared: false };
    const own = ownSite(websites, site);
    if (own !== undefined) return { kind: 'distribution', id: own.id, domain: own.website, shared: false };
    const found = multiTenant ? await this.#distributionTenant(site) : undefined;
    const host = site.website ?? found?.Domains?.[0]?.Domain;
    if (found?.Id === undefined || host === undefined) throw unknownSite(site);
    if (found.DistributionId !== distributionId) {
      throw new UnknownSiteError(`The website ${nameOf(site)} is of another distribution.`);
    }
    return { kind: 'distribution-tenant', id: found.Id, domain: host, shared: true };
  }

  async submit(target: Target, items: PurgeItems, _soft: boolean, reference: string): Promise<Submission> {
    const all = invalidationItems(items);
    const InvalidationBatch: InvalidationBatch = {
      CallerReference: reference,
      Paths: { Quantity: all.length, Items: all },
    };
    const made = await this.#call<Invalidation | undefined>(async () =>
      target.kind === 'distribution-tenant'
        ? (
            await this.#client.send(
              new CreateInvalidationForDistributionTenantCommand({ Id: target.id, InvalidationBatch }),
            )
          ).Invalidation
        : (
            await this.#client.send(
              new CreateInvalidationCommand({ DistributionId: target.id, InvalidationBatch }),
            )
          ).Invalidation,
    );
    if (made?.Id === undefined) throw new ProviderUnreachableError('CloudFront named no invalidation.');
    return { id: made.Id, completed: made.Status === 'Completed' };
  }

  async isCompleted(target: Target, Id: string): Promise<boolean> {
    const found = await this.#call<Invalidation | undefined>(async () =>
      target.kind === 'distribution-tenant'
        ? (
            await this.#client.send(
              new GetInvalidationForDistributionTenantCommand({ DistributionTenantId: target.id, Id }),
            )
          ).Invalidation
        : (await this.#client.send(new GetInvalidationCommand({ DistributionId: target.id, Id })))
            .Invalidation,
    );
    return found?.Status === 'Completed';
  }

  async #distributionTenant({ website, tenant }: Site): Promise<DistributionTenant | undefined> {
    return this.#call(async () => {
      try {
        const { DistributionTenant: found } =
          website === undefined
            ? await this.#client.send(new GetDistributionTenantCommand({ Identifier: tenant }))
            : await this.#client.send(new GetDistributionTenantByDomainCommand({ Domain: website }));
        return website !== undefined && tenant !== undefined && found?.Name !== tenant ? undefined : found;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  #call<T>(run: () => Promise<T>): Promise<T> {
    return guard(this.#breaker, run);
  }
}

/** As an invalidation lists them: a prefix ends with `*`, a tag begins with `#`. */
function invalidationItems({ paths, prefixes, tags, everything }: PurgeItems): string[] {
  if (everything) return ['/*'];
  return [...paths, ...prefixes.map((prefix) => `${prefix}*`), ...tags.map((tag) => `#${tag}`)];
}
