import ipaddr from 'ipaddr.js';

/** An IPv6 host usually has such a network for itself: it is counted as one address. */
const hostPrefix = 64;

/**
 * Reads an address as API Gateway writes it. An IPv4-mapped IPv6 address is the IPv4 address in it; a zone is left out.
 *
 * @returns undefined for what is not an address.
 */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const [plain = ''] = text.split('%');
  if (!ipaddr.IPv4.isValidFourPartDecimal(plain) && !ipaddr.IPv6.isValid(plain)) return undefined;
  return ipaddr.process(plain);
}

/** The address under which requests are counted: IPv4 as it is, IPv6 by /64. Everything that is no address is one. */
export function subjectOfAddress(sourceIp: string): string {
  const address = parseAddress(sourceIp);
  if (address === undefined) return 'unknown';
  if (address.kind() === 'ipv4') return address.toString();
  return `${firstAddress(address, hostPrefix)}/${hostPrefix}`;
}

/** A network, with its first address and the length of its prefix in one canonical form: `2001:db8::/32`. */
export type Network = string;

/**
 * Brings an address or a network into its canonical form: bits beyond the prefix are cleared, a single address is a
 * network of one, and an IPv4-mapped network is the IPv4 network in it.
 *
 * @returns undefined for what is neither.
 */
export function canonicalNetwork(text: string): Network | undefined {
  const [, plain = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const mapped = ipaddr.IPv6.isValid(plain) && ipaddr.IPv6.parse(plain).isIPv4MappedAddress();
  const address = parseAddress(plain);
  if (address === undefined) return undefined;
  const bits = address.kind() === 'ipv4' ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length) - (mapped ? 96 : 0);
  if (prefix < 0 || prefix > bits) return undefined;
  return `${firstAddress(address, prefix)}/${prefix}`;
}

/** Tells whether an address is in one of these networks, which are canonical. What is no address is in none. */
export function matcherOf(networks: readonly Network[]): (sourceIp: string) => boolean {
  const ranges = networks.map((network) => ipaddr.parseCIDR(network));
  return (sourceIp) => {
    const address = parseAddress(sourceIp);
    if (address === undefined) return false;
    return ranges.some(
      ([first, prefix]) => first.kind() === address.kind() && address.match([first, prefix]),
    );
  };
}

function firstAddress(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): string {
  const bytes = address.toByteArray().map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - 8 * index));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
  const first = ipaddr.fromByteArray(bytes);
  return first.toString();
}
