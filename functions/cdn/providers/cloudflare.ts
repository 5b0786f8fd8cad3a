import * as z from 'zod';
import { abilitiesOf } from './abilities.ts';
import type { HttpsApi } from './https-api.ts';
import type { Pace } from './pace.ts';
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
import { isNamed, ownSite, unknownSite } from './sites.ts';

const answer = <S extends z.ZodType>(result: S) => z.looseObject({ success: z.literal(true), result });
const purged = answer(z.looseObject({ id: z.string() }));
const zone = answer(
  z.looseObject({ id: z.string(), status: z.string(), paused: z.boolean().default(false) }),
);
/** Operations of one request; https://developers.cloudflare.com/cache/how-to/purge-cache/ */
const limits: Limits = { perCall: { paths: 100, prefixes: 100, tags: 100 } };

/** Cloudflare: a zone, whose host names are its websites. */
export class Cloudflare implements EdgeProvider {
  readonly kind = 'cloudflare';
  readonly abilities = abilitiesOf.cloudflare;
  readonly limits = limits;
  readonly #api: HttpsApi;
  readonly #settings: SettingsOf<'cloudflare'>;
  readonly #pace: Pace;

  constructor(api: HttpsApi, settings: SettingsOf<'cloudflare'>, pace: Pace) {
    this.#api = api;
    this.#settings = settings;
    this.#pace = pace;
  }

  async status(): Promise<ProviderStatus> {
    const { zoneId, domain } = this.#settings;
    const { result } = await this.#api.call({ method: 'GET', path: pathOf(zoneId), schema: zone });
    return {
      id: result.id,
      domain,
      enabled: result.status === 'active' && !result.paused,
      state: result.paused ? 'paused' : result.status,
      purgesInProgress: null,
    };
  }

  async target(site: Site): Promise<Target> {
    const { zoneId, domain, websites } = this.#settings;
    const own = ownSite(websites, site);
    if (own !== undefined) return { kind: 'zone', id: own.id, domain: own.website, shared: false };
    // A host of the zone; of tenants Cloudflare knows nothing.
    const host = site.website ?? (isNamed(site) ? undefined : domain);
    if (host === undefined || (site.website !== undefined && site.tenant !== undefined)) {
      throw unknownSite(site);
    }
    return { kind: 'zone', id: zoneId, domain: host, shared: isNamed(site) };
  }

  /** What is removed is gone within moments of the answer. */
  async submit(target: Target, items: PurgeItems): Promise<Submission> {
    this.#pace.take();
    const { result } = await this.#api.call({
      method: 'POST',
      path: `${pathOf(target.id)}/purge_cache`,
      body: bodyOf(target, items),
      schema: purged,
    });
    return { id: result.id, completed: true };
  }

  async isCompleted(): Promise<boolean> {
    return true;
  }
}

const pathOf = (zoneId: string): string => `/zones/${encodeURIComponent(zoneId)}`;

/** One kind in each request: `files` are URLs, `prefixes` are without their scheme. */
function bodyOf({ domain, shared }: Target, { paths, prefixes, tags, everything }: PurgeItems): object {
  if (everything) return shared ? { hosts: [domain] } : { purge_everything: true };
  if (prefixes.length > 0) return { prefixes: prefixes.map((prefix) => `${domain}${prefix}`) };
  if (tags.length > 0) return { tags };
  return { files: paths.map((path) => `https://${domain}${path}`) };
}
