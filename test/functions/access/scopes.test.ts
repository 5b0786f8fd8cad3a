import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { satisfies } from '../../../functions/access/scopes.ts';
import { capabilities, type Scope } from '../../../functions/shared/contract.ts';

const all: Scope[] = [
  'admin',
  'ingest',
  ...capabilities.flatMap((name): Scope[] => [`${name}:read`, `${name}:write`]),
];
const scope = fc.constantFrom(...all);
const held = fc.uniqueArray(scope);

describe('the scopes of a key', () => {
  it('always suffice for an open route, and for nothing else when there are none', () => {
    expect(satisfies([], 'open')).toBe(true);
    for (const needed of all) expect(satisfies([], needed)).toBe(false);
  });

  it('include themselves, and with admin everything', () => {
    fc.assert(
      fc.property(scope, (one) => {
        expect(satisfies([one], one)).toBe(true);
        expect(satisfies(['admin'], one)).toBe(true);
      }),
    );
  });

  it('include with write the read of the same capability, and nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...capabilities), scope, (name, needed) => {
        const included = needed === `${name}:write` || needed === `${name}:read`;
        expect(satisfies([`${name}:write`], needed)).toBe(included);
      }),
    );
  });

  it('are passed on: what a scope includes includes no more than the scope does', () => {
    fc.assert(
      fc.property(scope, scope, scope, (one, two, three) => {
        fc.pre(satisfies([one], two) && satisfies([two], three));
        expect(satisfies([one], three)).toBe(true);
      }),
    );
  });

  it('give more together only what one of them gives, in any order', () => {
    fc.assert(
      fc.property(held, scope, (scopes, needed) => {
        const together = satisfies(scopes, needed);
        expect(together).toBe(scopes.some((one) => satisfies([one], needed)));
        expect(satisfies(scopes.toReversed(), needed)).toBe(together);
      }),
    );
  });

  it('never make up for admin', () => {
    fc.assert(
      fc.property(held, (scopes) => {
        expect(satisfies(scopes, 'admin')).toBe(scopes.includes('admin'));
      }),
    );
  });
});
