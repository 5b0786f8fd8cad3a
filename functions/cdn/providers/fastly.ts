import * as z from 'zod';
import { abilitiesOf } from './abilities.ts';
import { NotSupportedError, UnknownSiteError } from './errors.ts';
import type { HttpsApi } from './https-api.ts';
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
import { isNamed, nameOf, ownSite } from './sites.ts';

const purged = z.looseObject({ status: z.literal('ok'), id: z.string().optional() });
/** By key, the id of its purge. */
const keysPurged = z.record(z.string(), z.string());
const service = z.looseObject({
  id: z.string(),
  versions: z.array(z.looseObject({ number: z.number(), active: z.boolean() })).default([]),
});
/** Keys of one request; https://www.fastly.com/documentation/reference/api/purging/. URLs go one by one. */
const limits: Limits = { perCall: { paths: 50, prefixes: 1, tags: 256 } };
const urlsAtOnce = 5;

/** Fastly: a service; what it calls surrogate keys are tags here. */
export class Fastly implements EdgeProvider {
  readonly kind = 'fastly';
  readonly abilities = abilitiesOf.fastly;
  readonly limits = limits;
  readonly #api: HttpsApi;
  readonly #settings: SettingsOf<'fastly'>;

  constructor(api: HttpsApi, settings: SettingsOf<'fastly'>) {
    this.#api = api;
    this.#settings = settings;
  }

  async status(): Promise<ProviderStatus> {
    const { serviceId, domain } = this.#settings;
    const { id, versions } = await this.#api.call({
      method: 'GET',
      path: serviceOf(serviceId),
      schema: service,
    });
    const active = versions.find((version) => version.active);
    return {
      ...{ id, domain, enabled: active !== undefined, purgesInProgress: null },
      state: active === undefined ? 'not activated' : `version ${active.number}`,
    };
  }

  async target(site: Site): Promise<Target> {
    const { serviceId, domain, websites } = this.#settings;
    const own = ownSite(websites, site);
    if (own !== undefined) return { kind: 'service', id: own.id, domain: own.website, shared: false };
    if (site.website === undefined && isNamed(site)) {
      throw new UnknownSiteError(`There is no website ${nameOf(site)} in the settings.`);
    }
    return { kind: 'service', id: serviceId, domain: site.website ?? domain, shared: isNamed(site) };
  }

  async submit(
    { id, domain, shared }: Target,
    { paths, prefixes, tags, everything }: PurgeItems,
    soft: boolean,
    reference: string,
  ): Promise<Submission> {
    const headers = soft ? { 'fastly-soft-purge': '1' } : {};
    if (prefixes.length > 0) throw new NotSupportedError('prefixes', 'Fastly has no purge by prefix.');
    if (everything) {
      if (shared) throw new NotSupportedError('website', 'Fastly has no purge of one website of a service.');
      const path = `${serviceOf(id)}/purge_all`;
      const done = await this.#api.call({ method: 'POST', path, schema: purged });
      return { id: done.id ?? reference, completed: true };
    }
    if (tags.length > 0) {
      const path = `${serviceOf(id)}/purge`;
      const body = { surrogate_keys: tags };
      const ids = await this.#api.call({ method: 'POST', path, body, headers, schema: keysPurged });
      return { id: Object.values(ids)[0] ?? reference, completed: true };
    }
    const purge = (path: string) =>
      this.#api.call({ method: 'POST', path: `/purge/${domain}${path}`, headers, schema: purged });
    for (let index = 0; index < paths.length; index += urlsAtOnce) {
      await Promise.all(paths.slice(index, index + urlsAtOnce).map(purge));
    }
    return { id: reference, completed: true };
  }

  async isCompleted(): Promise<boolean> {
    return true;
  }
}

const serviceOf = (serviceId: string): string => `/service/${encodeURIComponent(serviceId)}`;
