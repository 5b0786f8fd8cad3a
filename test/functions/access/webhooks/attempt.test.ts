import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { tenantIdSchema } from '../../../../functions/access/tenants/tenant.ts';
import { attemptDelivery } from '../../../../functions/access/webhooks/attempt.ts';
import { DeliveryError } from '../../../../functions/access/webhooks/delivery-error.ts';
import type { DeliveryRecord } from '../../../../functions/access/webhooks/delivery-record.ts';
import { endInterrupted } from '../../../../functions/access/webhooks/end-interrupted.ts';
import { webhookEvents } from '../../../../functions/access/webhooks/events.ts';
import { attemptResultSchema } from '../../../../functions/access/webhooks/workflow.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { secrets, table, traceparent, World, workOf } from './support.ts';

let dynamo: TestDynamo;
let world: World;

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  world = new World(dynamo);
});

/** Runs a delivery as its workflow would: waits as long as it is told to, until it ends. */
async function run(delivery: DeliveryRecord): Promise<number[]> {
  const waits: number[] = [];
  let work = workOf(delivery);
  for (let turns = 0; turns < 50; turns++) {
    const { result } = await attemptDelivery(world.deps, work);
    const { outcome, waitSeconds, ...next } = attemptResultSchema.parse(result);
    if (outcome === 'ended') return waits;
    waits.push(waitSeconds);
    world.now += waitSeconds * 1000;
    work = next;
  }
  throw new Error('It does not end');
}

const replay = () => ({ workId: newId(), traceparent, now: world.now });

const stored = async ({ webhookId, id }: DeliveryRecord) => world.deliveries.find(webhookId, id);

describe('a delivery', () => {
  it('ends with the first answer of 2xx, signed so that the published library verifies it', async () => {
    const endpoint = await world.endpoint();
    const delivery = await world.delivery(endpoint);
    world.now = Date.now();
    world.receive = () => ({ status: 202, text: 'thanks' });
    expect(await run(delivery)).toEqual([]);
    const [sent] = world.sent;
    expect(sent?.url).toBe(endpoint.url);
    expect(sent?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': delivery.messageId,
    });
    expect(new Webhook(endpoint.plain).verify(sent?.body ?? '', { ...sent?.headers })).toEqual({
      type: 'backup.completed',
    });
    expect(await stored(delivery)).toMatchObject({
      state: 'completed',
      attempts: [{ run: 1, number: 1, status: 202, answer: 'thanks', error: null, nextAttemptAt: null }],
    });
  });

  it('is attempted ten times over the schedule, each attempt recorded in order, and then has failed', async () => {
    const delivery = await world.delivery(await world.endpoint());
    const started = world.now;
    world.receive = () => ({ status: 500, text: 'no' });
    expect(await run(delivery)).toEqual([5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]);
    expect((world.now - started) / 3_600_000).toBeCloseTo(75.58, 1);
    expect(world.sent).toHaveLength(10);
    expect(new Set(world.sent.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(world.sent.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(10);
    const record = await stored(delivery);
    expect(record).toMatchObject({ state: 'failed', attempt: 10, error: { code: 'attempts-exhausted' } });
    const { attempts = [] } = record ?? {};
    expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(attempts.map(({ at }) => at)).toEqual(attempts.map(({ at }) => at).sort());
    expect(attempts.slice(0, 9).map(({ nextAttemptAt }) => nextAttemptAt)).toEqual(
      attempts.slice(1).map(({ at }) => at),
    );
  });

  it.each([301, 307, 404, 429, 503])('is attempted again after an answer of %i', async (status) => {
    const delivery = await world.delivery(await world.endpoint());
    world.receive = () => (world.sent.length === 1 ? { status } : {});
    expect(await run(delivery)).toEqual([5]);
    expect(await stored(delivery)).toMatchObject({
      state: 'completed',
      attempts: [{ status }, { status: 200 }],
    });
  });

  it('is attempted again when there was no answer, and says why there was none', async () => {
    const delivery = await world.delivery(await world.endpoint());
    world.receive = () =>
      world.sent.length === 1 ? new DeliveryError('tls-failed', 'TLS was not established.') : {};
    expect(await run(delivery)).toEqual([5]);
    expect((await stored(delivery))?.attempts[0]).toMatchObject({
      status: null,
      answer: null,
      error: { code: 'tls-failed', message: 'TLS was not established.' },
    });
  });

  it('waits for what Retry-After asks for, to twice the planned wait', async () => {
    const delivery = await world.delivery(await world.endpoint());
    const asked = ['8', '400', 'Fri, 20 Nov 2026 12:00:00 GMT'];
    world.receive = () => {
      const retryAfter = asked.shift();
      return retryAfter === undefined ? {} : { status: 503, retryAfter };
    };
    expect(await run(delivery)).toEqual([8, 400, 3600]);
  });

  it('is not sent again by an attempt that is recorded, and goes on all the same', async () => {
    const delivery = await world.delivery(await world.endpoint());
    world.receive = () => ({ status: 500 });
    const first = await attemptDelivery(world.deps, workOf(delivery));
    world.now += 2_000;
    const again = await attemptDelivery(world.deps, workOf(delivery));
    expect(world.sent).toHaveLength(1);
    expect(again.result).toEqual({ ...first.result, waitSeconds: 3 });
  });

  it('goes on from what another invocation has recorded that made the same attempt at the same time', async () => {
    const delivery = await world.delivery(await world.endpoint());
    world.receive = () => ({ status: 500 });
    const results = await Promise.all([
      attemptDelivery(world.deps, workOf(delivery)),
      attemptDelivery(world.deps, workOf(delivery)),
    ]);
    expect(results.map(({ result }) => result.outcome)).toEqual(['again', 'again']);
    expect((await stored(delivery))?.attempts).toHaveLength(1);
  });

  it('is sent nothing more once its endpoint is disabled or deleted', async () => {
    const [disabled, deleted] = [await world.endpoint(), await world.endpoint()];
    const [one, other] = [await world.delivery(disabled), await world.delivery(deleted)];
    const at = new Date(world.now).toISOString();
    await world.endpoints.disable(disabled.id, { code: 'manual', message: 'By hand.', at });
    await world.endpoints.remove(deleted);
    for (const delivery of [one, other]) {
      expect(await run(delivery)).toEqual([]);
      expect(await stored(delivery)).toMatchObject({ state: 'canceled', attempts: [] });
    }
    expect(world.sent).toEqual([]);
  });

  it.each([
    ['suspended', 'tenant-suspended'],
    [undefined, 'tenant-deleted'],
  ] as const)(
    'is sent nothing more once its tenant is %p, and can be replayed afterwards',
    async (state, code) => {
      const endpoint = await world.endpoint({ tenantId: tenantIdSchema.parse('idle') });
      const delivery = await world.delivery(endpoint);
      world.receive = () => ({ status: 500 });
      await attemptDelivery(world.deps, workOf(delivery));
      world.states.set('idle', state);
      const next = await attemptDelivery(world.deps, { ...workOf(delivery), attempt: 2 });
      expect(next).toMatchObject({ result: { outcome: 'ended' }, disabled: false });
      const ended = await stored(delivery);
      expect(ended).toMatchObject({ state: 'canceled', error: { code }, attempts: [{ status: 500 }] });
      expect(world.sent).toHaveLength(1);
      world.states.set('idle', 'active');
      world.receive = () => ({});
      expect(await world.deliveries.replay(ended ?? delivery, replay())).toBe(true);
      await run((await stored(delivery)) ?? delivery);
      expect(await stored(delivery)).toMatchObject({ state: 'completed', run: 2 });
      expect(world.sent).toHaveLength(2);
    },
  );

  it('of a run that was replaced sends nothing', async () => {
    const delivery = await world.delivery(await world.endpoint());
    await run(delivery);
    expect(await world.deliveries.replay((await stored(delivery)) ?? delivery, replay())).toBe(true);
    await run(delivery);
    expect(world.sent).toHaveLength(1);
    await run({ ...delivery, run: 2 });
    expect(world.sent).toHaveLength(2);
    const { attempts = [] } = (await stored(delivery)) ?? {};
    expect(attempts.map(({ run: number }) => number)).toEqual([1, 2]);
  });

  it('whose execution was stopped has failed, and only in that run', async () => {
    const delivery = await world.delivery(await world.endpoint());
    const detail = { executionArn: 'arn', name: delivery.id, status: 'ABORTED' };
    const report = (input: unknown) => ({
      'detail-type': 'Step Functions Execution Status Change' as const,
      detail: { ...detail, input: JSON.stringify(input) },
    });
    expect(await endInterrupted(world.deliveries, report('nothing'), world.now)).toBe(false);
    expect(await endInterrupted(world.deliveries, report({ ...workOf(delivery), run: 2 }), world.now)).toBe(
      false,
    );
    expect(await endInterrupted(world.deliveries, report(workOf(delivery)), world.now)).toBe(true);
    expect(await stored(delivery)).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
    expect(await run(delivery)).toEqual([]);
    expect(world.sent).toEqual([]);
  });
});

describe('an endpoint', () => {
  it('that answers 410 is disabled at once, and the platform is told', async () => {
    const endpoint = await world.endpoint();
    const delivery = await world.delivery(endpoint);
    world.receive = () => ({ status: 410 });
    expect(await run(delivery)).toEqual([]);
    expect(await world.endpoints.find(endpoint.id)).toMatchObject({
      state: 'disabled',
      disabled: { code: 'gone' },
      disabledBy: delivery.id,
    });
    expect(await stored(delivery)).toMatchObject({ state: 'failed', error: { code: 'gone' } });
    expect(world.announced).toEqual([webhookEvents['webhook.disabled'].parse(world.announced[0])]);
    expect(world.announced[0]).toMatchObject({ webhookId: endpoint.id, reason: 'gone' });
  });

  it.each([
    ['gone', 410, 1],
    ['failing', 500, 2],
  ])(
    'that is disabled because it is %s leaves one entry in the audit trail',
    async (_, status, deliveries) => {
      const endpoint = await world.endpoint();
      world.receive = () => ({ status });
      for (let n = 0; n < deliveries; n++) await run(await world.delivery(endpoint));
      expect(world.recorded).toEqual([
        {
          at: (await world.endpoints.find(endpoint.id))?.disabled?.at,
          actor: { name: 'mainstay' },
          action: 'webhook.disabled',
          target: `/api/access/webhooks/${endpoint.id}`,
          sourceIp: '',
          outcome: 'succeeded',
          status: 200,
          traceId: traceparent.slice(3, 35),
        },
      ]);
      // Nor does what is disabled already leave another.
      await run(await world.delivery(endpoint));
      expect(world.recorded).toHaveLength(1);
    },
  );

  it('tells the platform again when the first time was cut short', async () => {
    const delivery = await world.delivery(await world.endpoint());
    world.receive = () => ({ status: 410 });
    const announce = async () => {
      throw new Error('The bus is not there');
    };
    await expect(attemptDelivery({ ...world.deps, announce }, workOf(delivery))).rejects.toThrow('bus');
    expect((await attemptDelivery(world.deps, workOf(delivery))).disabled).toBe(true);
    expect(world.announced).toHaveLength(1);
    expect(world.sent).toHaveLength(1);
    // The audit trail took it both times, as the same.
    expect(world.recorded).toHaveLength(2);
    expect(world.recorded[1]).toEqual(world.recorded[0]);
  });

  it('is disabled when a delivery is given up and nothing has gone well for the days that are configured', async () => {
    const endpoint = await world.endpoint();
    world.receive = () => ({ status: 500 });
    const since = new Date(world.now).toISOString();
    await run(await world.delivery(endpoint));
    // 75 hours are not five days.
    expect(await world.endpoints.find(endpoint.id)).toMatchObject({ state: 'enabled', failingSince: since });
    await run(await world.delivery(endpoint));
    expect(await world.endpoints.find(endpoint.id)).toMatchObject({
      state: 'disabled',
      disabled: { code: 'failing' },
    });
    expect(world.announced).toMatchObject([{ reason: 'failing' }]);
  });

  it('begins anew with one answer that is well', async () => {
    const endpoint = await world.endpoint();
    world.receive = () => ({ status: 500 });
    await run(await world.delivery(endpoint));
    world.receive = () => ({});
    await run(await world.delivery(endpoint));
    expect(await world.endpoints.find(endpoint.id)).not.toHaveProperty('failingSince');
    world.receive = () => ({ status: 500 });
    await run(await world.delivery(endpoint));
    expect(await world.endpoints.find(endpoint.id)).toMatchObject({ state: 'enabled' });
    expect(world.announced).toEqual([]);
  });

  it('is sent both signatures until the previous secret ends', async () => {
    const endpoint = await world.endpoint();
    const until = new Date(world.now + 60_000).toISOString();
    const secret = await secrets.seal(endpoint.id, 'whsec_AAAA');
    const rotation = { secret, workId: newId(), previousUntil: until };
    expect(await world.endpoints.rotate(endpoint, rotation)).toBe(true);
    await run(await world.delivery(endpoint));
    world.now += 60_000;
    await run(await world.delivery(endpoint));
    const signatures = world.sent.map(({ headers }) => headers['webhook-signature']?.split(' ').length);
    expect(signatures).toEqual([2, 1]);
  });
});
