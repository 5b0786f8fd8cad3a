import { isIP } from 'node:net';
import { DeliveryError } from './delivery-error.ts';
import { isWithin, type Network, reachOf } from './networks.ts';

/** Where a request goes: the URL, and the one address that was found to be allowed. */
export interface Target {
  readonly url: URL;
  readonly address: string;
  readonly family: 4 | 6;
}

export interface ResolveOptions {
  /** All addresses of a name. */
  readonly lookup: (name: string) => Promise<readonly string[]>;
  readonly privateNetworks: readonly Network[];
  /** Milliseconds until resolving counts as failed. Default 5 000. */
  readonly timeoutMs?: number;
}

/**
 * Finds the address that a webhook's URL leads to, and refuses it unless every address of the name is public unicast or in
 * one of `privateNetworks`. Whoever sends to it has to use this very address: another question to DNS may have another
 * answer. Plain http goes to private networks alone.
 *
 * @throws DeliveryError
 */
export async function resolvePublic(text: string, options: ResolveOptions): Promise<Target> {
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    throw new DeliveryError('url-not-allowed', 'The URL is not one of https.');
  }
  const addresses = await addressesOf(hostOf(url), options);
  for (const address of addresses) {
    const isPrivate = reachOf(address) === 'private' && isWithin(address, options.privateNetworks);
    if (reachOf(address) !== 'public' && !isPrivate) {
      throw new DeliveryError('address-not-allowed', 'The host has an address that is not public.');
    }
    if (url.protocol === 'http:' && !isPrivate) {
      throw new DeliveryError('url-not-allowed', 'Without TLS only private networks may be called.');
    }
  }
  const [address] = addresses;
  if (address === undefined) throw new DeliveryError('name-not-resolved', 'The host has no address.');
  return { url, address, family: isIP(address) === 6 ? 6 : 4 };
}

/** The host without the brackets of IPv6. The URL standard has made four decimals of any other way to write IPv4. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

async function addressesOf(
  host: string,
  { lookup, timeoutMs = 5_000 }: ResolveOptions,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new DeliveryError('timeout', 'The name of the host was not resolved in time.')),
    timeoutMs,
  );
  try {
    return await Promise.race([lookup(host), late]);
  } catch (error) {
    if (error instanceof DeliveryError) throw error;
    throw new DeliveryError('name-not-resolved', 'The name of the host cannot be resolved.');
  } finally {
    clearTimeout(timer);
  }
}
