import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { reachOf, WEBHOOK_PRIVATE_NETWORKS } from '../../../../functions/access/webhooks/networks.ts';
import { resolvePublic } from '../../../../functions/access/webhooks/resolve-public.ts';

const networks = (...cidrs: string[]) => cidrs.map((cidr) => ipaddr.parseCIDR(cidr));

/** A resolver that knows one name; literal addresses never get to it. */
function resolving(addresses: readonly string[], ...privateNetworks: string[]) {
  return { lookup: async () => addresses, privateNetworks: networks(...privateNetworks) };
}

const notPublic = [
  ['unspecified', '0.0.0.0'],
  ['this network', '0.1.2.3'],
  ['private', '10.1.2.3'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.1.1'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['carrier-grade NAT', '100.127.255.255'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['link-local', '169.254.0.1'],
  ['metadata', '169.254.169.254'],
  ['metadata of containers', '169.254.170.2'],
  ['IETF', '192.0.0.170'],
  ['documentation', '192.0.2.1'],
  ['documentation', '198.51.100.1'],
  ['documentation', '203.0.113.1'],
  ['6to4 relays', '192.88.99.1'],
  ['benchmarking', '198.18.0.1'],
  ['multicast', '224.0.0.1'],
  ['multicast', '239.255.255.255'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['IPv4-mapped', '::ffff:127.0.0.1'],
  ['IPv4-mapped', '::ffff:a9fe:a9fe'],
  ['IPv4-mapped, of a public one', '::ffff:8.8.8.8'],
  ['IPv4-translated', '::ffff:0:10.0.0.1'],
  ['NAT64', '64:ff9b::10.0.0.1'],
  ['NAT64', '64:ff9b::a9fe:a9fe'],
  ['local NAT64', '64:ff9b:1::a00:1'],
  ['6to4 of a private one', '2002:a00:1::1'],
  ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['unique local', 'fd12:3456::1'],
  ['metadata', 'fd00:ec2::254'],
  ['link-local', 'fe80::1'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['documentation', '2001:db8::1'],
  ['documentation', '3fff::1'],
  ['discard', '100::1'],
  ['benchmarking', '2001:2::1'],
  ['segment routing', '5f00::1'],
  ['not given out', '4000::1'],
] as const;

describe('an address', () => {
  it.each(notPublic)('is not public: %s, %s', async (_what, address) => {
    expect(reachOf(address)).not.toBe('public');
    const refused = { name: 'DeliveryError', code: 'address-not-allowed' };
    await expect(resolvePublic('https://a.example/', resolving([address]))).rejects.toMatchObject(refused);
    const literal = address.includes(':') ? `https://[${address}]/` : `https://${address}/`;
    await expect(resolvePublic(literal, resolving([]))).rejects.toMatchObject(refused);
  });

  it.each(['8.8.8.8', '172.15.255.255', '172.32.0.1', '100.63.255.255', '2606:4700::1111', '2a00:1450::1'])(
    'is public: %s',
    async (address) => {
      expect(await resolvePublic('https://a.example/', resolving([address]))).toMatchObject({ address });
    },
  );

  it.each([
    ['a decimal number', 'https://2130706433/'],
    ['a hexadecimal number', 'https://0x7f000001/'],
    ['octal parts', 'https://0177.0.0.1/'],
    ['missing parts', 'https://127.1/'],
    ['full-width digits', 'https://１２７.０.０.１/'],
    ['a trailing dot', 'https://127.0.0.1./'],
    ['the metadata service in decimal', 'https://2852039166/'],
  ])('is the same however it is written: %s', async (_what, url) => {
    await expect(resolvePublic(url, resolving(['8.8.8.8']))).rejects.toMatchObject({
      code: 'address-not-allowed',
    });
  });

  it('of IPv6 is refused whatever hides the private IPv4 address in it', () => {
    const prefixes = ['::ffff:', '64:ff9b::', '64:ff9b:1::', '::'];
    fc.assert(
      fc.property(fc.constantFrom(...prefixes), fc.ipV4(), (prefix, inner) => {
        expect(reachOf(`${prefix}${inner}`)).not.toBe('public');
      }),
      { numRuns: 200 },
    );
  });
});

describe('a name', () => {
  it('is refused when one of its addresses is not public, wherever in the answer', async () => {
    for (const addresses of [
      ['8.8.8.8', '10.0.0.1'],
      ['10.0.0.1', '8.8.8.8'],
      ['2606:4700::1111', '::1'],
    ]) {
      await expect(resolvePublic('https://a.example/', resolving(addresses))).rejects.toMatchObject({
        code: 'address-not-allowed',
      });
    }
  });

  it('is refused when it has no address, or cannot be resolved', async () => {
    const failed = { code: 'name-not-resolved' };
    await expect(resolvePublic('https://a.example/', resolving([]))).rejects.toMatchObject(failed);
    const lookup = async () => {
      throw new Error('ENOTFOUND internal.name');
    };
    await expect(resolvePublic('https://a.example/', { lookup, privateNetworks: [] })).rejects.toMatchObject({
      ...failed,
      message: 'The name of the host cannot be resolved.',
    });
  });

  it('is not waited for without a bound', async () => {
    const lookup = () => new Promise<never>(() => {});
    await expect(
      resolvePublic('https://a.example/', { lookup, privateNetworks: [], timeoutMs: 20 }),
    ).rejects.toMatchObject({ code: 'timeout' });
  });

  it('leads to the first of its addresses', async () => {
    const target = await resolvePublic('https://a.example/x', resolving(['2606:4700::1111', '8.8.8.8']));
    expect(target).toMatchObject({ address: '2606:4700::1111', family: 6 });
  });
});

describe('a private network', () => {
  it('may be called where it is allowed, also without TLS', async () => {
    const options = resolving(['10.1.2.3'], '10.1.0.0/16', 'fd12::/16');
    expect(await resolvePublic('https://a.example/', options)).toMatchObject({ address: '10.1.2.3' });
    expect(await resolvePublic('http://a.example/', options)).toMatchObject({ address: '10.1.2.3' });
    expect(await resolvePublic('http://[fd12::1]/', options)).toMatchObject({ family: 6 });
    await expect(resolvePublic('https://10.2.0.1/', options)).rejects.toMatchObject({
      code: 'address-not-allowed',
    });
  });

  it('opens plain http to no public address', async () => {
    const refused = { code: 'url-not-allowed' };
    await expect(
      resolvePublic('http://a.example/', resolving(['8.8.8.8'], '10.0.0.0/8')),
    ).rejects.toMatchObject(refused);
    await expect(
      resolvePublic('http://a.example/', resolving(['10.0.0.1', '8.8.8.8'], '10.0.0.0/8')),
    ).rejects.toMatchObject(refused);
  });

  it.each(['169.254.169.254', 'fd00:ec2::254', '::ffff:10.0.0.1', 'fe80::1', '224.0.0.1', '0.0.0.0'])(
    'cannot open %s',
    async (address) => {
      const options = resolving([address], '0.0.0.0/0', '::/0');
      await expect(resolvePublic('https://a.example/', options)).rejects.toMatchObject({
        code: 'address-not-allowed',
      });
    },
  );

  it('is read from a JSON array of CIDRs, and nothing else', () => {
    expect(WEBHOOK_PRIVATE_NETWORKS.parse('["10.0.0.0/8"]')).toHaveLength(1);
    expect(WEBHOOK_PRIVATE_NETWORKS.parse('[]')).toEqual([]);
    for (const text of ['', '{}', '"10.0.0.0/8"', '["10.0.0.1"]', '["10.0.0.0/33"]']) {
      expect(WEBHOOK_PRIVATE_NETWORKS.safeParse(text).success).toBe(false);
    }
  });
});
