import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalNetwork,
  matcherOf,
  subjectOfAddress,
} from '../../../../functions/access/addresses/address.ts';

describe('the subject of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['', 'unknown'],
    ['203.0.113', 'unknown'],
    ['0x7f.1', 'unknown'],
    ['a.example', 'unknown'],
  ])('%s is %s', (address, subject) => {
    expect(subjectOfAddress(address)).toBe(subject);
  });

  it('is the same for all IPv6 addresses of a /64, and for no other', () => {
    const part = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const half = fc.array(part, { minLength: 4, maxLength: 4 }).map((parts) => parts.join(':'));
    fc.assert(
      fc.property(half, half, half, (network, one, other) => {
        fc.pre(!network.startsWith('0:0:0:0'));
        expect(subjectOfAddress(`${network}:${one}`)).toBe(subjectOfAddress(`${network}:${other}`));
        if (network !== other) {
          expect(subjectOfAddress(`${network}:${one}`)).not.toBe(subjectOfAddress(`${other}:${one}`));
        }
      }),
    );
  });
});

describe('a network', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['203.0.113.7/0', '0.0.0.0/0'],
    ['203.0.113.255/25', '203.0.113.128/25'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::ffff:203.0.113.7/120', '203.0.113.0/24'],
    ['::/0', '::/0'],
    ['::ffff:203.0.113.7/95', undefined],
    ['203.0.113.7/33', undefined],
    ['nonsense', undefined],
  ])('%s is written %s', (text, network) => {
    expect(canonicalNetwork(text)).toBe(network);
  });

  it.each([
    ['203.0.113.7', true],
    ['::ffff:203.0.113.7', true],
    ['203.0.114.7', false],
    ['2001:db8:ffff::1', true],
    ['2001:db9::1', false],
    ['nonsense', false],
  ])('has %s in it: %s', (address, expected) => {
    expect(matcherOf(['203.0.113.0/24', '2001:db8::/32'])(address)).toBe(expected);
  });

  it('of all IPv6 addresses has no IPv4 address in it', () => {
    expect(matcherOf(['::/0'])('203.0.113.7')).toBe(false);
  });
});
