/** The providers there are implementations for. */
export const providerKinds = ['cloudfront', 'cloudflare', 'fastly'] as const;
export type ProviderKind = (typeof providerKinds)[number];

/** What of a cache is to be forgotten. Paths and prefixes are normalised, and begin with a slash. */
export interface PurgeItems {
  readonly paths: readonly string[];
  /** Everything whose path begins so. */
  readonly prefixes: readonly string[];
  readonly tags: readonly string[];
  readonly everything: boolean;
}

/** What a provider can do; what it cannot is refused, and nothing is done in its place. */
export interface Abilities {
  readonly paths: true;
  /** `directories`: only prefixes that end with a slash. */
  readonly prefixes: 'any' | 'directories' | 'none';
  readonly tags: boolean;
  readonly everything: true;
  /** Whether everything of one website can be purged. */
  readonly website: boolean;
  /** Whether content can be marked as stale instead of being removed. */
  readonly soft: boolean;
  /** Whether the provider says when a purge is done; otherwise it is done when it was accepted. */
  readonly follow: boolean;
  readonly signedUrls: boolean;
  /** Whether edge locations can be addressed one by one. */
  readonly locations: boolean;
}

/** How much a provider takes at once. */
export interface Limits {
  /** In one call, which is of one kind. */
  readonly perCall: { readonly paths: number; readonly prefixes: number; readonly tags: number };
  /** Of one target at the same time; tags count as paths, everything as one prefix. Absent: as much as one likes. */
  readonly inProgress?: { readonly paths: number; readonly prefixes: number };
}

/** What is purged at the provider, and the host name under which it is asked for. */
export interface Target {
  readonly kind: 'distribution' | 'distribution-tenant' | 'zone' | 'service';
  readonly id: string;
  readonly domain: string;
  /** Whether it is one website of several that share it. */
  readonly shared: boolean;
}

/** What names a website: its host name, or the tenant that it belongs to. */
export interface Site {
  readonly website?: string | undefined;
  readonly tenant?: string | undefined;
}

/** What a provider has made of a call. */
export interface Submission {
  /** The provider's own id of it. */
  readonly id: string;
  readonly completed: boolean;
}

/** How the provider stands. */
export interface ProviderStatus {
  readonly id: string;
  readonly domain: string;
  readonly enabled: boolean;
  /** The provider's own word for how far it is deployed. */
  readonly state: string;
  /** Purges that have not reached every edge location; `null`: the provider does not say. */
  readonly purgesInProgress: number | null;
}

/**
 * A content delivery network. Every method ends in bounded time.
 *
 * @throws ProviderUnreachableError, ProviderThrottledError, ProviderRefusedError, BreakerOpenError from each of them.
 */
export interface EdgeProvider {
  readonly kind: ProviderKind;
  readonly abilities: Abilities;
  readonly limits: Limits;
  status(): Promise<ProviderStatus>;
  /** @throws UnknownSiteError */
  target(site: Site): Promise<Target>;
  /**
   * Purges what fits into one call.
   *
   * @param reference names the call: repeated with it, it is the same one.
   * @throws NotSupportedError
   */
  submit(target: Target, items: PurgeItems, soft: boolean, reference: string): Promise<Submission>;
  /** Whether what was submitted has reached every edge location. */
  isCompleted(target: Target, submissionId: string): Promise<boolean>;
}
