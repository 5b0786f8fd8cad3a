import { BreakerOpenError } from '../../shared/circuit-breaker.ts';
import {
  ProviderRefusedError,
  ProviderThrottledError,
  ProviderUnreachableError,
} from '../providers/errors.ts';
import type { EdgeProvider } from '../providers/provider.ts';
import { type ContentVersion, shortVersion } from './content-version.ts';
import type { AssetUrl } from './model.ts';

/** There is no such file. */
export class NoSuchFileError extends Error {
  override readonly name = 'NoSuchFileError';
}

export interface AssetUrlDependencies {
  readonly provider: EdgeProvider | undefined;
  readonly versionOf: (key: string) => Promise<ContentVersion | undefined>;
  /** A URL of the origin that is good for a while. */
  readonly originUrl: (key: string, seconds: number) => Promise<string>;
  /** Signs a URL of the edge; absent where URLs are not signed. */
  readonly sign: ((url: string, until: Date) => Promise<string>) | undefined;
  /** Where the edge of a host is reached, without a path. */
  readonly edgeUrl: (domain: string) => string;
  readonly now: () => number;
}

export interface AssetUrlRequest {
  /** Normalised. */
  readonly path: string;
  readonly website?: string | undefined;
  readonly versioned: boolean;
  readonly signed: boolean;
  readonly expiresInSeconds: number;
}

/** The key of the object that a path is served from. */
export const keyOfPath = (path: string): string =>
  path === '/' ? 'index.html' : decodeURIComponent(path.slice(1).split('?')[0] ?? '');

/**
 * The URL under which a file is served: the edge's, or the origin's where there is no edge to ask.
 *
 * @param standing finds out whether the edge serves; what it says may be as old as half a minute.
 * @throws NoSuchFileError, UnknownSiteError, DependencyError
 */
export async function assetUrl(
  deps: AssetUrlDependencies,
  standing: () => Promise<Exclude<AssetUrl['reason'], null> | undefined>,
  { path, website, versioned, signed, expiresInSeconds }: AssetUrlRequest,
): Promise<AssetUrl> {
  const { provider, now } = deps;
  const key = keyOfPath(path);
  const reason = provider === undefined ? 'no-provider' : await standing();
  const version = versioned || reason !== undefined ? await deps.versionOf(key) : undefined;
  if (version === undefined && (versioned || reason !== undefined)) {
    throw new NoSuchFileError('There is no such file in the assets bucket.');
  }
  const until = new Date(now() + expiresInSeconds * 1000);
  if (provider === undefined || reason !== undefined) {
    const url = await deps.originUrl(key, expiresInSeconds);
    return {
      ...{ url, source: 'origin', reason: reason ?? 'no-provider', path, signed: true },
      version: version ?? null,
      expiresAt: until.toISOString(),
    };
  }
  const { domain } = await provider.target({ website });
  const tail =
    versioned && version !== undefined ? `${path.includes('?') ? '&' : '?'}v=${shortVersion(version)}` : '';
  const plain = `${deps.edgeUrl(domain)}${path}${tail}`;
  const url = signed && deps.sign !== undefined ? await deps.sign(plain, until) : plain;
  return {
    ...{ url, source: 'edge', reason: null, path, signed },
    version: version ?? null,
    expiresAt: signed ? until.toISOString() : null,
  };
}

const freshMs = 30_000;

/** Whether the edge serves, as far as its provider says so; asked at most every half minute. */
export function standingOf(
  provider: EdgeProvider,
  now: () => number,
): () => Promise<'unreachable' | 'disabled' | undefined> {
  let known: { reason: 'unreachable' | 'disabled' | undefined; until: number } | undefined;
  return async () => {
    if (known !== undefined && now() < known.until) return known.reason;
    const reason = await ask(provider);
    known = { reason, until: now() + freshMs };
    return reason;
  };
}

async function ask(provider: EdgeProvider): Promise<'unreachable' | 'disabled' | undefined> {
  try {
    return (await provider.status()).enabled ? undefined : 'disabled';
  } catch (error) {
    // Who answers that it is asked too often is there.
    if (error instanceof ProviderThrottledError) return undefined;
    if (
      error instanceof ProviderUnreachableError ||
      error instanceof ProviderRefusedError ||
      error instanceof BreakerOpenError
    ) {
      return 'unreachable';
    }
    throw error;
  }
}
