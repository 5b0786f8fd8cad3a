import { UnknownSiteError } from './errors.ts';
import type { Site } from './provider.ts';

interface OwnSite {
  readonly website: string;
  readonly tenant?: string | undefined;
  readonly id: string;
}

/** The website with a distribution, zone or service of its own that is meant, where there is one. */
export function ownSite<S extends OwnSite>(sites: readonly S[], { website, tenant }: Site): S | undefined {
  return sites.find(
    (site) =>
      (website !== undefined || tenant !== undefined) &&
      (website === undefined || site.website === website) &&
      (tenant === undefined || site.tenant === tenant),
  );
}

export const isNamed = ({ website, tenant }: Site): boolean => website !== undefined || tenant !== undefined;

/** As errors name it. */
export const nameOf = ({ website, tenant }: Site): string => website ?? `of the tenant ${tenant}`;

export const unknownSite = (site: Site): UnknownSiteError =>
  new UnknownSiteError(`There is no website ${nameOf(site)} at the provider.`);
