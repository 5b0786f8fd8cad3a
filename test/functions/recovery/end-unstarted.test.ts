import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BackupCatalog } from '../../../functions/recovery/catalog/backup-catalog.ts';
import { endUnstarted } from '../../../functions/recovery/catalog/end-unstarted.ts';
import { OperationCatalog } from '../../../functions/recovery/catalog/operation-catalog.ts';
import { RecoveryTable } from '../../../functions/recovery/catalog/recovery-table.ts';
import { RestoreCatalog } from '../../../functions/recovery/catalog/restore-catalog.ts';
import { isoTime } from '../../../functions/recovery/clock.ts';
import { DrillCatalog } from '../../../functions/recovery/drill/drill-catalog.ts';
import { drillIdSchema } from '../../../functions/recovery/drill/ids.ts';
import { backupIdSchema, operationIdSchema, restoreIdSchema } from '../../../functions/recovery/ids.ts';
import { newId } from '../../../functions/shared/ids.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

const name = 'recovery';
const minuteMs = 60_000;
let dynamo: TestDynamo;
let table: RecoveryTable;
let now: number;
let warned: unknown[];

beforeAll(async () => {
  dynamo = await startDynamo(name);
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  now = Date.parse('2026-11-20T10:00:00Z');
  table = new RecoveryTable(dynamo.client, name, () => now);
  warned = [];
});

const run = () =>
  endUnstarted({ table, clock: { now: () => now }, log: { warn: (...line) => warned.push(line) } });
const common = () => ({
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  createdAt: isoTime(now),
  requestedBy: 'abcdefgh',
});
const catalogs = () => {
  const clock = () => now;
  return {
    backups: new BackupCatalog(table),
    restores: new RestoreCatalog(table),
    operations: new OperationCatalog(table, clock),
    drills: new DrillCatalog(table, clock),
  };
};

/** An entry of each kind, as the start of one makes it before it asks for an execution. */
const kinds = {
  backup: async (type: 'full' | 'import' = 'full') => {
    const { backups } = catalogs();
    const id = backupIdSchema.parse(newId());
    await backups.create({ ...common(), id, type, trigger: 'api', shards: [] });
    return { id, get: () => backups.get(id), ...methods(backups, id) };
  },
  restore: async (drill?: boolean) => {
    const { restores } = catalogs();
    const id = restoreIdSchema.parse(newId());
    const backupId = backupIdSchema.parse(newId());
    await restores.create({ ...common(), id, backupId, mode: 'new', dryRun: false, shards: [], drill });
    return { id, get: () => restores.get(id), ...methods(restores, id) };
  },
  verification: async () => {
    const { operations } = catalogs();
    const id = operationIdSchema.parse(newId());
    await operations.create({ ...common(), id, kind: 'verify', backupId: backupIdSchema.parse(newId()) });
    return { id, get: () => operations.get(id), ...methods(operations, id) };
  },
  drill: async () => {
    const { drills } = catalogs();
    const id = drillIdSchema.parse(newId());
    const how = { restorePoint: 'latest', keys: 'kms', reuseVerification: true } as const;
    await drills.create({ ...common(), ...how, id, trigger: 'api' });
    return { id, get: () => drills.get(id), ...methods(drills, id) };
  },
};

function methods<Id>(
  catalog: { setExecution(id: Id, arn: string): Promise<boolean>; requestCancel(id: Id): Promise<boolean> },
  id: Id,
) {
  return {
    setExecution: () => catalog.setExecution(id, 'arn:execution'),
    requestCancel: () => catalog.requestCancel(id),
  };
}

describe.each(['backup', 'restore', 'verification', 'drill'] as const)('a %s that was asked for', (kind) => {
  it('and not started within 15 minutes has failed', async () => {
    const { id, get } = await kinds[kind]();
    now += 15 * minuteMs;
    expect(await run()).toEqual([]);
    expect(await get()).toMatchObject({ state: 'queued' });
    now += 1;
    expect(await run()).toEqual([id]);
    const ended = { state: 'failed', finishedAt: isoTime(now), error: { code: 'NotStarted' } };
    expect(await get()).toMatchObject({ ...ended, ...(kind === 'drill' ? { stage: 'done' } : {}) });
    expect(warned).toHaveLength(1);
    expect(await run()).toEqual([]);
  });

  it('and is worked on goes on', async () => {
    const { get, setExecution } = await kinds[kind]();
    await setExecution();
    now += 60 * minuteMs;
    expect(await run()).toEqual([]);
    expect(await get()).toMatchObject({ state: 'queued' });
  });

  it('and canceled before it was started is canceled', async () => {
    const { id, get, requestCancel } = await kinds[kind]();
    await requestCancel();
    now += 60 * minuteMs;
    expect(await run()).toEqual([id]);
    const record = await get();
    expect(record).toMatchObject({ state: 'canceled', finishedAt: isoTime(now) });
    expect(record?.error).toBeUndefined();
  });

  it('and is started while its end is decided goes on', async () => {
    const { get, setExecution } = await kinds[kind]();
    now += 60 * minuteMs;
    class Late extends RecoveryTable {
      override async set(...change: Parameters<RecoveryTable['set']>) {
        await setExecution();
        return super.set(...change);
      }
    }
    table = new Late(dynamo.client, name, () => now);
    expect(await run()).toEqual([]);
    expect(await get()).toMatchObject({ state: 'queued', executionArn: 'arn:execution' });
  });
});

describe('a restore that was resumed', () => {
  const resumed = async () => {
    const { restores } = catalogs();
    const { id, get, setExecution, requestCancel } = await kinds.restore();
    await setExecution();
    now += 60 * minuteMs;
    const resumableUntil = isoTime(now + 60 * minuteMs);
    await restores.end({ id, attempts: 1 }, 'failed', { finishedAt: isoTime(now), resumableUntil });
    const record = await get();
    if (record === undefined) throw new Error('There is no restore');
    const resume = async () => restores.resume((await get()) ?? record, isoTime(now), common().traceparent);
    expect(await resume()).toBe(true);
    await restores.discardDone(id);
    const due = async (at: number) => {
      const found: string[] = [];
      for await (const each of restores.discardsDue(at)) found.push(each);
      return found.includes(id);
    };
    return { id, get, resume, requestCancel, due, resumableUntil, restores };
  };

  it('and not started again within 15 minutes has failed, and can be resumed until it could before', async () => {
    const { id, get, resume, due, resumableUntil } = await resumed();
    now += 15 * minuteMs;
    expect(await run()).toEqual([]);
    now += 1;
    expect(await run()).toEqual([id]);
    expect(await get()).toMatchObject({ state: 'failed', resumableUntil, error: { code: 'NotStarted' } });
    expect([await due(now), await due(Date.parse(resumableUntil))]).toEqual([false, true]);
    expect(await resume()).toBe(true);
    expect(await get()).toMatchObject({ state: 'queued', attempts: 3 });
  });

  it('and is worked on goes on; one that was canceled is removed', async () => {
    const { id, get, restores } = await resumed();
    await restores.setExecution(id, `arn:execution:${id}-2`);
    const other = await resumed();
    await other.requestCancel();
    now += 60 * minuteMs;
    expect(await run()).toContain(other.id);
    expect(await get()).toMatchObject({ state: 'queued' });
    expect(await other.get()).toMatchObject({ state: 'canceled' });
    expect(await other.due(now)).toBe(true);
  });
});

describe('what waits for something else', () => {
  it.each([
    ['an import for its upload', () => kinds.backup('import')],
    ['the restore of a drill for the drill', () => kinds.restore(true)],
  ])('goes on waiting: %s', async (_what, create) => {
    const { get } = await create();
    now += 60 * minuteMs;
    expect(await run()).toEqual([]);
    expect(await get()).toMatchObject({ state: 'queued' });
  });
});
