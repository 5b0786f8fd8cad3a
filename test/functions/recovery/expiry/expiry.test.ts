import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { automationBodySchema } from '../../../../functions/recovery/automation/model.ts';
import type { BackupRecord } from '../../../../functions/recovery/catalog/backup-record.ts';
import { isoTime } from '../../../../functions/recovery/clock.ts';
import { promiseOf } from '../../../../functions/recovery/expiry/promise.ts';
import { settleKeeping } from '../../../../functions/recovery/expiry/settle-retention.ts';
import { type BackupId, restoreIdSchema } from '../../../../functions/recovery/ids.ts';
import { traceparent } from '../support/run-backup.ts';
import { Shelf } from './support/shelf.ts';

let shelf: Shelf;
const day = 86_400_000;
const rule = { ...automationBodySchema.parse({}), changedAt: '2026-11-01T00:00:00.000Z' };

beforeAll(async () => {
  shelf = await Shelf.open();
});
/** Each test begins with nothing, and the rule of 30 days. */
beforeEach(async () => {
  shelf.announced.length = 0;
  shelf.now = Date.parse('2026-11-20T12:00:00Z');
  const { catalog, table } = shelf.world;
  for (const { id } of (await catalog.list(100)).backups) {
    await catalog.sweepDone(id);
    await table.delete({ pk: `BACKUP#${id}`, sk: 'META' });
  }
  await shelf.rules.set(rule, (await shelf.rules.get()).version);
});
afterEach(() => shelf.world.aws.endpoint.faults.clear());
afterAll(() => shelf?.world.close());

describe('a backup that nothing keeps', () => {
  it('expires, is announced, swept, and then gone', async () => {
    const [old, recent] = [await shelf.complete(40), await shelf.complete(1)];
    expect(await shelf.expire()).toEqual({ expired: [old], kept: 1, refused: false, remaining: false });
    expect([await shelf.state(old), await shelf.state(recent)]).toEqual(['expired', 'completed']);
    expect((await shelf.sweep()).swept).toEqual([old]);
    expect(shelf.announced).toEqual([
      { event: 'expired', id: old },
      { event: 'deleted', id: old },
    ]);
    expect([await shelf.state(old), await shelf.count(old), await shelf.count(recent)]).toEqual([
      undefined,
      0,
      2,
    ]);
    expect(await shelf.expire()).toMatchObject({ expired: [], kept: 1 });
  });

  it('is left alone while it is the only one, also when the list still shows one that is going', async () => {
    const [old, newer] = [await shelf.complete(50), await shelf.complete(40)];
    expect((await shelf.expire()).expired).toEqual([old]);
    expect(await shelf.state(newer)).toBe('completed');
    expect(await shelf.delete(newer)).toBe(true);
    expect(await shelf.expire()).toMatchObject({ expired: [], kept: 0 });
  });

  it('is done with by the next run when the first is cut short anywhere in between', async () => {
    const [old] = [await shelf.complete(40), await shelf.complete(1)];
    const { faults } = shelf.world.aws.endpoint;
    const fault = { service: 'dynamodb', operation: 'PutItem', times: 9, error: { status: 500, code: 'X' } };
    faults.add(fault);
    await expect(shelf.expire()).rejects.toThrow('PutItem');
    expect(await shelf.state(old)).toBe('expired');
    expect(await shelf.world.catalog.sweepOf(old)).toBeUndefined();
    faults.clear();
    expect(await shelf.expire()).toMatchObject({ expired: [] });
    // Announced again: it cannot be known whether it was.
    expect(shelf.announced.filter(({ id }) => id === old)).toHaveLength(2);
    faults.add({ ...fault, service: 's3', operation: 'DeleteObjects' });
    await expect(shelf.sweep()).rejects.toThrow('DeleteObjects');
    faults.clear();
    await shelf.sweep();
    expect([await shelf.state(old), await shelf.count(old)]).toEqual([undefined, 0]);
  });

  it('is expired once by two runs at the same time, and swept by two without harm', async () => {
    const olds = [await shelf.complete(40), await shelf.complete(41), await shelf.complete(42)];
    const recent = await shelf.complete(1);
    const runs = await Promise.all([shelf.expire(), shelf.expire()]);
    expect(runs.flatMap(({ expired }) => expired).sort()).toEqual([...olds].sort());
    await Promise.all([shelf.sweep(), shelf.sweep()]);
    await shelf.sweep();
    expect(await Promise.all(olds.map(shelf.state))).toEqual([undefined, undefined, undefined]);
    expect(await shelf.count(recent)).toBe(2);
  });

  it('waits for the next run when time runs out', async () => {
    await Promise.all([shelf.complete(40), shelf.complete(1)]);
    expect(await shelf.expire(1_000)).toMatchObject({ expired: [], remaining: true });
    expect(await shelf.expire()).toMatchObject({ expired: [expect.anything()], remaining: false });
  });
});

describe('a clock that was moved back', () => {
  it('lets nothing expire while it is behind the end of a backup', async () => {
    await shelf.complete(40);
    await shelf.complete(1);
    shelf.now -= 2 * day;
    expect(await shelf.expire()).toEqual({ expired: [], kept: 2, refused: true, remaining: false });
    shelf.now += 2 * day;
    expect((await shelf.expire()).expired).toHaveLength(1);
  });
});

describe('an expired backup that others refer to', () => {
  /** A full one with two objects, of which an incremental one refers to the first. */
  async function family() {
    const full = await shelf.begin(40);
    const [used, unused] = [await shelf.store(full, 'used'), await shelf.store(full, 'unused')];
    await shelf.commit(full, [used, unused]);
    const incremental = await shelf.begin(39);
    expect(await shelf.refer(incremental, full)).toBe(true);
    return { full, incremental, used, unused };
  }

  it('keeps what they name and its manifest, and goes when the last of them has gone', async () => {
    const { full, incremental, used } = await family();
    await shelf.commit(incremental, [await shelf.store(incremental, 'own'), used]);
    await shelf.world.table.set({ pk: `BACKUP#${incremental}`, sk: 'META' }, { keptBy: 'request' });
    await shelf.complete(1);
    expect((await shelf.expire()).expired).toEqual([full]);
    expect(await shelf.sweep()).toMatchObject({ swept: [], objectsRemoved: 1, remaining: true });
    expect(await shelf.sweep()).toMatchObject({ swept: [], objectsRemoved: 0, remaining: true });
    expect([await shelf.state(full), await shelf.count(full)]).toEqual(['expired', 2]);
    await expect(shelf.delete(full)).rejects.toMatchObject({ dependents: [incremental] });

    expect(await shelf.delete(incremental)).toBe(true);
    await shelf.sweep(incremental);
    await shelf.sweep();
    expect([await shelf.state(full), await shelf.count(full)]).toEqual([undefined, 0]);
    expect([await shelf.state(incremental), await shelf.count(incremental)]).toEqual([undefined, 0]);
  });

  it('keeps everything while one of them is at work, and lets go what that did not need', async () => {
    const { full, incremental, unused } = await family();
    await shelf.complete(1);
    // As if the list of the run before had not shown it.
    await shelf.world.catalog.expire(full);
    await shelf.expire();
    expect(await shelf.sweep()).toMatchObject({ objectsRemoved: 0, remaining: true });
    await shelf.commit(incremental, [await shelf.store(incremental, 'own'), unused]);
    expect(await shelf.sweep()).toMatchObject({ objectsRemoved: 1, remaining: true });
    expect(await shelf.versions()).toContain(`${unused.versionId}\n${unused.key}`);
  });

  it('does not expire while one of them is at work, as far as the list shows', async () => {
    const { full } = await family();
    await shelf.complete(1);
    expect(await shelf.expire()).toMatchObject({ expired: [] });
    expect(await shelf.state(full)).toBe('completed');
  });

  it('is free again when the one that referred to it failed', async () => {
    const { full, incremental } = await family();
    await shelf.complete(1);
    await shelf.store(incremental, 'own');
    await shelf.world.catalog.end(incremental, 'failed', { finishedAt: isoTime(shelf.now) });
    await shelf.world.catalog.sweepNeeded(incremental, 0);
    await shelf.world.catalog.expire(full);
    await shelf.expire();
    await shelf.sweep();
    await shelf.sweep();
    expect([await shelf.state(full), await shelf.count(full), await shelf.count(incremental)]).toEqual([
      undefined,
      0,
      0,
    ]);
  });

  it('keeps everything while the manifest of one of them cannot be relied on', async () => {
    const { full, incremental, used } = await family();
    await shelf.commit(incremental, [used]);
    await shelf.complete(1);
    await shelf.world.catalog.expire(full);
    await shelf.expire();
    const { manifest } = (await shelf.world.catalog.get(incremental)) ?? {};
    await shelf.world.table.set(
      { pk: `BACKUP#${incremental}`, sk: 'META' },
      { manifest: { ...manifest, sha256: 'another' }, keptBy: 'request', state: 'completed' },
    );
    expect(await shelf.sweep(full)).toMatchObject({ objectsRemoved: 0, remaining: true });
    expect(await shelf.count(full)).toBe(3);
  });

  it('takes no new ones', async () => {
    const { full } = await family();
    await shelf.world.catalog.expire(full);
    expect(await shelf.refer(await shelf.begin(0), full)).toBe(false);
  });
});

describe('a backup that a restore reads', () => {
  it('does not expire before the restore has ended', async () => {
    const [old] = [await shelf.complete(40), await shelf.complete(1)];
    const id = restoreIdSchema.parse('01K9Z5C3W7F1B9D4H6J8M2N5PQ');
    const createdAt = isoTime(shelf.now);
    await shelf.restores.create({
      ...{
        id,
        backupId: old,
        mode: 'new',
        dryRun: false,
        shards: [],
        requestedBy: 'k',
        traceparent,
        createdAt,
      },
      ...{ tables: undefined, database: undefined },
    });
    expect(await shelf.expire()).toMatchObject({ expired: [] });
    await shelf.restores.end({ id, attempts: 1 }, 'canceled', { finishedAt: createdAt });
    expect((await shelf.expire()).expired).toEqual([old]);
  });
});

describe('how long a backup is kept', () => {
  const asked = (more: Partial<BackupRecord>) => ({ createdAt: '2026-11-20T00:00:00.000Z', ...more });

  it('is what was asked for, else what the rule says, else without end', () => {
    expect(promiseOf(asked({}), rule)).toEqual({ keptBy: 'rule', keepUntil: '2026-12-20T00:00:00.000Z' });
    expect(promiseOf(asked({ keepDays: 1 }), rule)).toEqual({
      keptBy: 'request',
      keepUntil: '2026-11-21T00:00:00.000Z',
    });
    expect(promiseOf(asked({ keepDays: null, lockDays: 7 }), rule)).toEqual({
      keptBy: 'request',
      lockDays: 7,
    });
    expect(promiseOf(asked({}), undefined)).toEqual({ keptBy: 'request' });
    expect(promiseOf(asked({}), { ...rule, lockDays: 3 })).toMatchObject({ keptBy: 'rule', lockDays: 3 });
  });

  it('is settled once, before the backup is completed', async () => {
    const { catalog } = shelf.world;
    const deps = { catalog, rules: shelf.rules, retention: shelf.retention };
    const id: BackupId = await shelf.begin(0);
    await settleKeeping(deps, id);
    const { version } = await shelf.rules.get();
    await shelf.rules.set({ ...rule, retentionDays: 1 }, version);
    await settleKeeping(deps, id);
    expect(await catalog.get(id)).toMatchObject({ keptBy: 'rule', keepUntil: '2026-12-20T12:00:00.000Z' });
  });
});
