import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { tenantIdSchema } from '../../../../functions/access/tenants/tenant.ts';
import { alarmChanged } from '../../../../functions/access/webhooks/alarm-changed.ts';
import { attemptDelivery } from '../../../../functions/access/webhooks/attempt.ts';
import { dispatchEvent } from '../../../../functions/access/webhooks/dispatch.ts';
import type { EndpointRecord } from '../../../../functions/access/webhooks/endpoint-record.ts';
import {
  alarmEvents,
  alarmReportSchema,
  dispatchEventSchema,
} from '../../../../functions/access/webhooks/events.ts';
import { startQueued } from '../../../../functions/access/webhooks/start-queued.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { busEvent, table, traceparent, World } from './support.ts';

const tenant = (id: string) => tenantIdSchema.parse(id);
let dynamo: TestDynamo;
let world: World;

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  world = new World(dynamo);
});

const dispatch = (event: ReturnType<typeof busEvent>) =>
  dispatchEvent({ ...world.deps, start: world.start }, event, traceparent);
const deliveriesOf = async ({ id }: EndpointRecord) =>
  (await world.deliveries.list(id, { state: undefined, limit: 50, before: undefined })).items;

describe('a run that was queued by a function that was stopped then', () => {
  it('is started by the clock: that of a test, and that of a replay; one that has begun or ended is not', async () => {
    const endpoint = await world.endpoint();
    const tested = await world.delivery(endpoint);
    const replayed = await world.delivery(endpoint);
    const ended = await world.delivery(endpoint);
    const finishedAt = new Date(world.now).toISOString();
    const end = { state: 'failed', finishedAt } as const;
    for (const { id, run } of [replayed, ended]) await world.deliveries.end(endpoint.id, id, run, end);
    const record = await world.deliveries.find(endpoint.id, replayed.id);
    await world.deliveries.replay(record ?? replayed, { workId: newId(), traceparent, now: world.now });
    const begun = await world.delivery(endpoint);
    await attemptDelivery(world.deps, {
      ...{ webhookId: endpoint.id, deliveryId: begun.id, run: 1, attempt: 1, traceparent },
    });

    let time = 1;
    const clock = { ...world.deps, start: world.start, hasTime: () => time-- > 0 };
    await startQueued(clock);
    expect(world.started).toEqual(expect.arrayContaining([`${tested.id}-1`, `${replayed.id}-2`]));
    expect(world.started).toHaveLength(2);
    await world.endpoints.remove(endpoint);
  });
});

describe('an event', () => {
  it('starts a delivery to each endpoint whose filters let it through, with its body', async () => {
    const all = await world.endpoint();
    const backups = await world.endpoint({ events: ['restore.failed', 'backup.*'] });
    const keys = await world.endpoint({ events: ['key.*'] });
    const disabled = await world.endpoint({ state: 'disabled' });
    const event = busEvent('backup.completed', { backupId: 'b-1' });
    await dispatch(event);
    const [delivery] = await deliveriesOf(all);
    expect(delivery).toMatchObject({
      messageId: event.id,
      type: 'backup.completed',
      state: 'queued',
      occurredAt: '2026-11-20T09:59:59.500Z',
    });
    expect(JSON.parse(delivery?.body ?? '')).toEqual({
      type: 'backup.completed',
      timestamp: '2026-11-20T09:59:59.500Z',
      data: event.detail,
    });
    expect(await deliveriesOf(backups)).toHaveLength(1);
    expect(await deliveriesOf(keys)).toEqual([]);
    expect(await deliveriesOf(disabled)).toEqual([]);
    expect(world.started).toContain(`${delivery?.id}-1`);
    for (const { id, tenantId } of [all, backups, keys, disabled])
      await world.endpoints.remove({ id, tenantId });
  });

  it('is told to a tenant’s endpoints only when it is about that tenant', async () => {
    const [acme, other] = [tenant('acme'), tenant('other')];
    const mine = await world.endpoint({ tenantId: acme });
    const theirs = await world.endpoint({ tenantId: other });
    await dispatch(busEvent('key.created', { tenantId: 'acme' }));
    await dispatch(busEvent('backup.completed'));
    await dispatch(busEvent('backup.completed', { tenantId: ['acme', 'other'] }));
    await dispatch(busEvent('backup.completed', { tenantId: 'acme#ENDPOINTS' }));
    expect((await deliveriesOf(mine)).map(({ type }) => type)).toEqual(['key.created']);
    expect(await deliveriesOf(theirs)).toEqual([]);
  });

  it.each(['suspended', undefined] as const)(
    'is told to the platform’s endpoints alone while the tenant it is about is %p, and to all when it is active again',
    async (state) => {
      const [mine, platforms] = [await world.endpoint({ tenantId: tenant('idle') }), await world.endpoint()];
      world.states.set('idle', state);
      expect(await dispatch(busEvent('key.created', { tenantId: 'idle' }))).toBe(1);
      expect(await deliveriesOf(mine)).toEqual([]);
      expect(await deliveriesOf(platforms)).toHaveLength(1);
      world.states.set('idle', 'active');
      expect(await dispatch(busEvent('key.changed', { tenantId: 'idle' }))).toBe(2);
      expect((await deliveriesOf(mine)).map(({ type }) => type)).toEqual(['key.changed']);
      for (const { id, tenantId } of [mine, platforms]) await world.endpoints.remove({ id, tenantId });
    },
  );

  it('of a tenant of which the table does not tell whether it is active is tried again as a whole', async () => {
    const mine = await world.endpoint({ tenantId: tenant('unknown') });
    const tenants = { find: () => Promise.reject(new Error('The table is not there')) };
    const event = busEvent('key.created', { tenantId: 'unknown' });
    const deps = { ...world.deps, tenants, start: world.start };
    await expect(dispatchEvent(deps, event, traceparent)).rejects.toThrow('table');
    expect(await deliveriesOf(mine)).toEqual([]);
  });

  it('that is seen twice starts what the first time had not, and nothing twice', async () => {
    const owner = { tenantId: tenant('twice') };
    const endpoints = [await world.endpoint(owner), await world.endpoint(owner)];
    const event = busEvent('backup.completed', owner);
    const failing = {
      ...world.deps,
      start: async () => {
        throw new Error('no room');
      },
    };
    await expect(dispatchEvent(failing, event, traceparent)).rejects.toThrow('2 of 2 deliveries');
    expect(await dispatch(event)).toBe(2);
    expect(world.started).toHaveLength(2);
    await dispatch(event);
    // The workflow takes a name once: what is asked for again is the same execution.
    expect(new Set(world.started).size).toBe(2);
    for (const endpoint of endpoints) expect(await deliveriesOf(endpoint)).toHaveLength(1);
  });

  it('is delivered to as many endpoints as there can be', async () => {
    const owner = { tenantId: tenant('many') };
    for (let count = 0; count < 50; count++) await world.endpoint(owner);
    await expect(world.endpoint(owner)).rejects.toThrow('no room');
    expect(await world.endpoints.countEndpointsOf(owner.tenantId)).toBe(50);
    expect(await dispatch(busEvent('backup.completed', owner))).toBe(50);
    expect(world.started).toHaveLength(50);
  });
});

describe('the room of an owner', () => {
  it('is found again where a deletion was cut short', async () => {
    const tenantId = tenant('room');
    const endpoints = [];
    for (let count = 0; count < 50; count++) endpoints.push(await world.endpoint({ tenantId }));
    const [first] = endpoints;
    // The endpoint is gone, its entry is not.
    if (first !== undefined) await world.endpoints.remove({ id: first.id, tenantId: tenant('elsewhere') });
    await expect(world.endpoint({ tenantId })).rejects.toThrow('no room');
    world.now += 120_000;
    await world.endpoint({ tenantId });
    expect(await world.endpoints.countEndpointsOf(tenantId)).toBe(50);
  });
});

describe('an alarm', () => {
  const report = {
    version: '0',
    id: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
    source: 'aws.cloudwatch',
    'detail-type': 'CloudWatch Alarm State Change',
    time: '2026-11-20T10:00:01Z',
    detail: {
      alarmName: 'mainstay-dev-backup-failed',
      state: {
        value: 'ALARM',
        reason: 'Threshold Crossed',
        reasonData: '{}',
        timestamp: '2026-11-20T10:00:00.123+0000',
      },
      previousState: { value: 'OK', reason: '', timestamp: '2026-11-19T10:00:00.000+0000' },
      configuration: {
        description: 'A backup failed.\nRunbook: https://example.com/runbooks/backup-failed.md',
        metrics: [],
      },
    },
  };

  it('becomes an event of the platform that says what is wrong, since when, and what to do', () => {
    const parsed = alarmReportSchema.parse(dispatchEventSchema.parse(report));
    const detail = alarmEvents['alarm.changed'].parse(alarmChanged(parsed, traceparent));
    expect(detail).toMatchObject({
      eventId: report.id,
      name: 'mainstay-dev-backup-failed',
      description: 'A backup failed.',
      state: 'ALARM',
      previousState: 'OK',
      reason: 'Threshold Crossed',
      since: '2026-11-20T10:00:00.123Z',
      runbook: 'https://example.com/runbooks/backup-failed.md',
    });
  });

  it('is understood with only what every report has', () => {
    const bare = { ...report, detail: { alarmName: 'a', state: { value: 'INSUFFICIENT_DATA' } } };
    const detail = alarmEvents['alarm.changed'].parse(
      alarmChanged(alarmReportSchema.parse(bare), traceparent),
    );
    expect(detail).toMatchObject({ previousState: null, runbook: null, since: '2026-11-20T10:00:01Z' });
  });

  it('is delivered once however often the platform is told of it', async () => {
    const tenantId = tenant('alarmed');
    const endpoint = await world.endpoint({ tenantId });
    const detail = { ...alarmChanged(alarmReportSchema.parse(report), traceparent), tenantId };
    await dispatch(busEvent('alarm.changed', detail));
    await dispatch(busEvent('alarm.changed', detail));
    expect(await deliveriesOf(endpoint)).toMatchObject([{ messageId: report.id }]);
  });
});
