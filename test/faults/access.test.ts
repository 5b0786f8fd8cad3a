import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import * as z from 'zod';
import { cacheMs } from '../../functions/access/authenticate.ts';
import { type ApiClient, apiClient } from '../e2e/support/api.ts';
import { sharedPlatform } from '../e2e/support/shared-platform.ts';
import { waitFor } from '../support/wait-for.ts';

const madeKeySchema = z.looseObject({ id: z.string(), key: z.string() });
const self = '/api/access/self';

jest.setTimeout(120_000);

let call: ApiClient;
beforeAll(async () => {
  call = apiClient(await sharedPlatform());
});

async function makeKey(body: object): Promise<{ id: string; key: string }> {
  return madeKeySchema.parse((await call('POST', '/api/access/keys', { body })).body);
}

describe('a key that functions remember', () => {
  /** Until it is refused, in ms, after `change`; it is used before and meanwhile. */
  async function endsAfter(key: string, status: number, change: () => Promise<unknown>): Promise<number> {
    expect((await call('GET', self, { key })).status).toBe(200);
    await change();
    const changed = Date.now();
    await waitFor(async () => (await call('GET', self, { key })).status === status, {
      what: 'the key to be refused',
      timeoutMs: 2 * cacheMs,
      intervalMs: 250,
    });
    return Date.now() - changed;
  }

  it('is refused within the bound of their memory after it is revoked, or its tenant suspended', async () => {
    const id = 'of-a-fault';
    await call('POST', '/api/access/tenants', { body: { id, name: id } });
    const revoked = await makeKey({ name: 'revoked', scopes: ['cdn:read'] });
    const suspended = await makeKey({ name: 'suspended', scopes: ['cdn:read'], tenantId: id });
    const took = await Promise.all([
      endsAfter(revoked.key, 401, () => call('DELETE', `/api/access/keys/${revoked.id}`)),
      endsAfter(suspended.key, 403, () =>
        call('PATCH', `/api/access/tenants/${id}`, { body: { state: 'suspended' } }),
      ),
    ]);
    for (const ms of took) expect(ms).toBeLessThan(cacheMs + 2_000);
  });
});
