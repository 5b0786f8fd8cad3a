import { beforeAll, describe, expect, it } from '@jest/globals';
import { satisfies } from '../../functions/access/scopes.ts';
import { contracts } from '../../functions/contracts.ts';
import { capabilities, type RouteContract, type Scope } from '../../functions/shared/contract.ts';
import { routeKeyOf } from '../../functions/shared/gate.ts';
import { type ApiAnswer, type ApiClient, apiClient } from './support/api.ts';
import { createKey } from './support/aws.ts';
import { errorText } from './support/error-text.ts';
import { sharedPlatform } from './support/shared-platform.ts';

const guarded = contracts
  .flatMap((contract): RouteContract[] => Object.values(contract.routes))
  .filter(({ scope }) => scope !== 'open')
  .map((route, index) => [routeKeyOf(route), route, index] as const);

/** Keys that are no good, in whatever way. Each route is tried with one of them, in turn: a function looks at all in one place. */
const sorts = ['malformed', 'unknown', 'revoked', 'expired'] as const;

/** Every scope but `admin`. */
const everyScope: Scope[] = ['ingest', ...capabilities.map((name): Scope => `${name}:write`)];
const owner = 'matrix-owner';
const stranger = 'matrix-stranger';

/** A path whose ids are nobody's; a tenant in it is the owner. */
const concrete = (path: string) =>
  path.replaceAll('{tenantId}', owner).replaceAll(/\{\w+\}/g, 'nothing-of-that-name');

describe.each(guarded)('%s', (_, route, index) => {
  const path = concrete(route.path);
  let call: ApiClient;
  let keys: Record<'revoked' | 'expired' | 'narrow' | 'owner' | 'stranger', string>;

  beforeAll(async () => {
    const local = await sharedPlatform();
    call = apiClient(local);
    keys = await keysFor(local, call);
  });
  const send = (key: string | null) => call(route.method, path, { key });
  const expectError = (answer: ApiAnswer, status: number) => errorText(route, answer, status);

  const sort = sorts[index % sorts.length] ?? 'unknown';
  it(`answers 401 without a key, and with one that is ${sort}`, async () => {
    const made = { malformed: 'nonsense', unknown: `msk_aaaaaaaa_${'A'.repeat(43)}`, ...keys };
    for (const key of [null, made[sort]]) {
      const answer = await send(key);
      expectError(answer, 401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it('answers 403 to a key without its scope', async () => {
    if (satisfies(['cdn:read'], route.scope)) return;
    expect(expectError(await send(keys.narrow), 403)).toMatch(/scope/i);
  });

  it('shows a tenant’s key nothing of the platform, and nothing of another tenant', async () => {
    const answer = await send(keys.stranger);
    if (route.tenants !== true) expectError(answer, 403);
    else if (route.path.includes('{tenantId}')) expectError(answer, 404);
    const { instance: _path, ...said } = Object(answer.body);
    expect(JSON.stringify(said)).not.toContain(owner);
  });

  it('lets in whom it should', async () => {
    // A body that no route takes: who is let in is told so, and nothing begins.
    const options = route.method === 'GET' ? {} : { body: ['nothing', 'begins'] };
    const answer = await call(route.method, path, options);
    expect([401, 403, 429]).not.toContain(answer.status);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.get('ratelimit')).toMatch(/;r=\d+;t=\d+/);
    if (route.tenants === true && route.path.includes('{tenantId}')) {
      expect((await send(keys.owner)).status).toBe(200);
    }
  });
});

let made: Promise<Record<'revoked' | 'expired' | 'narrow' | 'owner' | 'stranger', string>> | undefined;

/** One key of each sort, made once for all routes. */
function keysFor(local: Awaited<ReturnType<typeof sharedPlatform>>, call: ApiClient) {
  const make = async () => {
    for (const id of [owner, stranger]) {
      const { status } = await call('POST', '/api/access/tenants', { body: { id, name: id } });
      expect([201, 409]).toContain(status);
    }
    return {
      revoked: await createKey(local, ['admin'], { state: 'revoked' }),
      expired: await createKey(local, ['admin'], { validUntil: new Date(Date.now() - 1000) }),
      narrow: await createKey(local, ['cdn:read']),
      owner: await createKey(local, everyScope, { tenant: owner }),
      stranger: await createKey(local, everyScope, { tenant: stranger }),
    };
  };
  made ??= make();
  return made;
}
