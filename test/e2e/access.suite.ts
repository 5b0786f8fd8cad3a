import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';
import { problemSchema } from '../../functions/shared/problem.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ApiAnswer, type ApiClient, apiClient } from './support/api.ts';
import { Receiver } from './support/receiver.ts';
import { sharedPlatform } from './support/shared-platform.ts';

const madeKeySchema = z.looseObject({ id: z.string(), key: z.string() });
const trailSchema = z.looseObject({ entries: z.array(z.looseObject({})) });
const self = '/api/access/self';
const keysPath = '/api/access/keys';
const webhooksPath = '/api/access/webhooks';

let call: ApiClient;
beforeAll(async () => {
  call = apiClient(await sharedPlatform());
});

async function makeKey(body: object = {}): Promise<{ id: string; key: string }> {
  const answer = await call('POST', keysPath, { body: { name: 'of a test', scopes: ['cdn:read'], ...body } });
  expect(answer.status).toBe(201);
  return madeKeySchema.parse(answer.body);
}

describe('an API key', () => {
  it('works at once, is shown once, and is refused once it is revoked', async () => {
    const { id, key } = await makeKey();
    expect((await call('GET', self, { key })).body).toMatchObject({ keyId: id, scopes: ['cdn:read'] });
    expect(JSON.stringify((await call('GET', `${keysPath}/${id}`)).body)).not.toContain(key.slice(13));

    const unused = await makeKey();
    expect((await call('DELETE', `${keysPath}/${unused.id}`)).status).toBe(200);
    expect((await call('GET', self, { key: unused.key })).status).toBe(401);
  });

  it('is replaced by another, and both work for the overlap', async () => {
    const old = await makeKey();
    const answer = await call('POST', `${keysPath}/${old.id}/reroll`, { body: { overlapHours: 1 } });
    expect(answer.status).toBe(201);
    const fresh = madeKeySchema.parse(answer.body);
    for (const { key } of [old, fresh]) expect((await call('GET', self, { key })).status).toBe(200);
    expect((await call('GET', `${keysPath}/${old.id}`)).body).toMatchObject({
      validUntil: expect.any(String),
    });
  });

  it('is made once for an Idempotency-Key, and not shown a second time', async () => {
    const headers = { 'idempotency-key': `of-a-test-${Date.now()}` };
    const body = { name: 'once', scopes: ['cdn:read'] };
    const first = await call('POST', keysPath, { body, headers });
    const second = await call('POST', keysPath, { body, headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual({ ...Object(first.body), key: null });
    expect((await call('POST', keysPath, { body: { ...body, name: 'other' }, headers })).status).toBe(422);
  });

  it('may not make as many requests as it likes', async () => {
    const { key } = await makeKey({ tier: 'free' });
    const answers: ApiAnswer[] = [];
    // Two at a time: each request beside others starts an environment of its own.
    const send = async () => {
      while (answers.length < 130) answers.push(await call('GET', self, { key }));
    };
    await Promise.all([send(), send()]);
    const good = answers.filter(({ status }) => status === 200);
    const limited = answers.filter(({ status }) => status === 429);
    expect(good.length + limited.length).toBe(answers.length);
    expect(good.length).toBeLessThanOrEqual(100);
    expect(good.length).toBeGreaterThan(50);
    const [one] = limited;
    expect(Number(one?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(one?.headers.get('ratelimit-policy')).toContain('q=100;w=60');
    expect(problemSchema.parse(one?.body)).toMatchObject({ status: 429 });
    const limits = await call('GET', '/api/access/limits');
    expect(JSON.stringify(limits.body)).toContain(key.slice(4, 12));
  });
});

describe('a tenant', () => {
  it('that is suspended is shut out, and let in again', async () => {
    const id = 'of-a-test';
    expect((await call('POST', '/api/access/tenants', { body: { id, name: 'Of a test' } })).status).toBe(201);
    const before = await makeKey({ tenantId: id, scopes: ['access:read'] });
    const own = `/api/access/tenants/${id}`;
    await call('PATCH', own, { body: { state: 'suspended' } });
    const refused = await call('GET', own, { key: before.key });
    expect(problemSchema.parse(refused.body)).toMatchObject({
      status: 403,
      detail: expect.stringContaining(id),
    });

    await call('PATCH', own, { body: { state: 'active' } });
    const { key } = await makeKey({ tenantId: id, scopes: ['access:read'] });
    expect((await call('GET', own, { key })).body).toMatchObject({ id, state: 'active' });
  });
});

describe('the audit trail', () => {
  it('has who did what, and which key was refused, with the trace that leads to the log', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const made = await call('POST', keysPath, { body: { name: 'audited', scopes: ['cdn:read'] }, headers });
    const { id } = madeKeySchema.parse(made.body);
    await call('GET', self, { key: `msk_aaaaaaaa_${'A'.repeat(43)}`, headers });
    const { entries } = trailSchema.parse((await call('GET', '/api/access/audit?limit=100')).body);
    const traced = entries.filter((entry) => entry.traceId === traceId);
    expect(traced).toEqual([
      expect.objectContaining({ action: 'credential.refused', outcome: 'refused', status: 401 }),
      expect.objectContaining({
        action: `POST ${keysPath}`,
        target: `${keysPath}/${id}`,
        outcome: 'succeeded',
        sourceIp: expect.stringMatching(/127\.0\.0\.1|::1/),
      }),
    ]);
  });
});

describe('a webhook', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await Receiver.start();
  });
  afterAll(() => receiver.stop());

  it('is told of what happens, signed as Standard Webhooks says, and again after a failure', async () => {
    const body = { url: receiver.url, events: ['key.*'] };
    const created = await call('POST', webhooksPath, { body });
    expect(created.status).toBe(201);
    const { id, secret } = z.looseObject({ id: z.string(), secret: z.string() }).parse(created.body);

    receiver.statuses = [500, 204];
    const traceId = randomBytes(16).toString('hex');
    const traced = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const made = { name: 'of a test', scopes: ['cdn:read'] };
    const { id: keyId } = madeKeySchema.parse(
      (await call('POST', keysPath, { body: made, headers: traced })).body,
    );
    const about = ({ body: text }: { body: string }) => text.includes(keyId);
    await receiver.until('the first attempt', about);
    await waitFor(async () => receiver.received.filter(about).length === 2, {
      what: 'the second attempt',
      intervalMs: 200,
    });
    for (const { headers, body: text } of receiver.received.filter(about)) {
      const signed = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      );
      expect(new Webhook(secret).verify(text, signed)).toMatchObject({ type: 'key.created' });
      expect(headers.traceparent).toContain(`00-${traceId}-`);
    }

    const listed = await call('GET', `${webhooksPath}/${id}/deliveries`);
    const { deliveries } = z
      .looseObject({ deliveries: z.array(z.looseObject({ id: z.string() })) })
      .parse(listed.body);
    const delivery = await waitFor(
      async () => {
        const { body: shown } = await call('GET', `${webhooksPath}/${id}/deliveries/${deliveries[0]?.id}`);
        return Object(shown).state === 'completed' ? Object(shown) : undefined;
      },
      { what: 'the delivery to be completed', intervalMs: 200 },
    );
    expect(delivery.attempts).toMatchObject([{ status: 500 }, { status: 204, nextAttemptAt: null }]);
    expect((await call('DELETE', `${webhooksPath}/${id}`)).status).toBe(204);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'https://10.0.0.7/',
    'https://[::ffff:192.168.0.1]/',
    'https://2886729729/',
  ])('is refused for %s', async (url) => {
    const answer = await call('POST', webhooksPath, { body: { url } });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).toContain('body.url');
  });
});
