import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { Failures } from '../../../functions/recovery/catalog/failures.ts';
import {
  executionName,
  RestoreCatalog,
  restoredName,
  restorePartition,
} from '../../../functions/recovery/catalog/restore-catalog.ts';
import { RestoreNotes } from '../../../functions/recovery/catalog/restore-notes.ts';
import {
  type RestoreRecord,
  restoreRecordSchema,
} from '../../../functions/recovery/catalog/restore-record.ts';
import { systemClock } from '../../../functions/recovery/clock.ts';
import {
  BackupNotRunningError,
  UnknownBackupError,
  UnknownShardError,
} from '../../../functions/recovery/errors.ts';
import {
  type BackupId,
  backupIdSchema,
  type RestoreId,
  restoreIdSchema,
  shardNameSchema,
} from '../../../functions/recovery/ids.ts';
import { completeRestore } from '../../../functions/recovery/restore/complete-restore.ts';
import { estimateMs } from '../../../functions/recovery/restore/estimate.ts';
import { failRestore, resumableMs } from '../../../functions/recovery/restore/fail-restore.ts';
import { restoreSchema } from '../../../functions/recovery/restore/model.ts';
import { refuseForTenants } from '../../../functions/recovery/restore/refuse-for-tenants.ts';
import {
  cancelRestore,
  type RestoreRequestDependencies,
  resumeRestore,
  startRestore,
} from '../../../functions/recovery/restore/requests.ts';
import { showRestore } from '../../../functions/recovery/restore/view.ts';
import { newId } from '../../../functions/shared/ids.ts';
import { Problem } from '../../../functions/shared/problem.ts';
import { type Aws, startAwsWorld } from './support/world.ts';

let world: Aws;
let restores: RestoreCatalog;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const shards = ['shard-a', 'shard-b'].map((name) => shardNameSchema.parse(name));
const plan = { objects: 4, rows: 40, bytes: 4_000_000, storedBytes: 1_000_000, estimatedMs: 5_000 };

beforeAll(async () => {
  world = await startAwsWorld();
  restores = new RestoreCatalog(world.table);
  workflows = await Workflows.start();
});
afterAll(async () => {
  await workflows?.stop();
  await world?.close();
});

async function completedBackup(): Promise<BackupId> {
  const id = backupIdSchema.parse(randomUUID());
  const at = new Date().toISOString();
  await world.catalog.create({ id, type: 'full', trigger: 'api', traceparent, shards, createdAt: at });
  await world.catalog.start(id, { executionArn: 'arn:x', shards, startedAt: at });
  await world.catalog.complete(id, {
    finishedAt: at,
    manifest: { key: 'k', versionId: 'v', sha256: 's' },
    skewMs: 0,
    progress: {
      ...{ stage: 'done', chunksDone: 1, chunksStored: 1, chunksTotal: 1, bytesRead: 1, bytesStored: 1 },
      ...{ bytesPerSecond: 1, ratio: 1, etaMs: 0 },
    },
    shardDetails: [],
    sizeBytes: 1,
    rows: 1,
  });
  return id;
}

/** What was asked of Step Functions, which a small server stands for. */
class Workflows {
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  readonly client: SFNClient;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.client = new SFNClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    });
    server.on('request', async (request, response) => {
      const { name, executionArn } = inputSchema.parse(JSON.parse(await text(request)));
      const again = name !== undefined && this.started.includes(name);
      if (executionArn !== undefined) this.stopped.push(executionArn);
      if (name !== undefined && !again) this.started.push(name);
      response.writeHead(again ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
      const answer = again
        ? { __type: 'ExecutionAlreadyExists', message: 'is there' }
        : { executionArn: `arn:execution:${name}`, startDate: 1, stopDate: 1 };
      response.end(JSON.stringify(answer));
    });
  }

  static async start(): Promise<Workflows> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new Workflows(server, addressSchema.parse(server.address()).port);
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}

const inputSchema = z.looseObject({ name: z.string().optional(), executionArn: z.string().optional() });
const addressSchema = z.looseObject({ port: z.number() });

let workflows: Workflows;
const discarded: RestoreId[] = [];
const deps = (): RestoreRequestDependencies => ({
  restores,
  backups: world.catalog,
  stepFunctions: workflows.client,
  stateMachineArn: 'arn:machine',
  importStateMachineArn: 'arn:imports',
  pointInTimeStateMachineArn: 'arn:points-in-time',
  clock: systemClock,
  startDiscard: async (id) => void discarded.push(id),
  startDiscardOfClusters: async (id) => void discarded.push(id),
});

async function requested(values: { shards?: typeof shards; dryRun?: boolean } = {}): Promise<RestoreRecord> {
  const id = restoreIdSchema.parse(newId());
  const { shards: wanted, dryRun = false } = values;
  const backupId = await completedBackup();
  await startRestore(deps(), {
    id,
    backupId,
    mode: 'new',
    dryRun,
    shards: wanted,
    requestedBy: 'key',
    traceparent,
  });
  return current(id);
}

async function current(id: RestoreId): Promise<RestoreRecord> {
  const record = await restores.get(id);
  if (record === undefined) throw new Error('There is no record');
  return record;
}

async function running(values: Parameters<typeof requested>[0] = {}): Promise<RestoreRecord> {
  const { id, executionArn = '' } = await requested(values);
  const startedAt = new Date().toISOString();
  const safetyBackupId = backupIdSchema.parse('safety');
  expect(await restores.start(id, { executionArn, startedAt, plan, safetyBackupId })).toBe(true);
  return current(id);
}

const fail = (record: RestoreRecord, values: { aborted?: boolean; code?: string; name?: string } = {}) =>
  failRestore(
    {
      restores,
      failures: new Failures(world.table, restorePartition(record.id)),
      startDiscard: async (id) => void discarded.push(id),
      clock: systemClock,
    },
    record,
    {
      name: values.name ?? executionName(record.id, record.attempts),
      aborted: values.aborted ?? false,
      failure: { code: values.code ?? 'DependencyError', message: 'S3 did not complete GetObject' },
    },
  );

async function due(now: number): Promise<RestoreId[]> {
  const ids: RestoreId[] = [];
  for await (const id of restores.discardsDue(now)) ids.push(id);
  return ids;
}

describe('a request to restore', () => {
  it('of one tenant takes nothing from others, and is of rows alone', () => {
    const selection = { id: 'acme', by: 'schema' } as const;
    const platform = { type: 'full' } as const;
    const own = { ...platform, tenant: selection };
    const asked = { mode: 'new', tables: undefined } as const;
    const fieldsOf = (...[backup, changes]: Parameters<typeof refuseForTenants>): string[] => {
      try {
        refuseForTenants(backup, changes);
        return [];
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return (error.errors ?? []).map(({ field }) => field);
      }
    };
    expect(fieldsOf(platform, { ...asked, mode: 'replace' })).toEqual([]);
    expect(fieldsOf(own, asked)).toEqual([]);
    expect(fieldsOf(platform, { ...asked, tenant: selection })).toEqual([]);
    expect(fieldsOf(own, { ...asked, mode: 'replace' })).toEqual(['body.mode']);
    expect(fieldsOf(own, { ...asked, tenant: selection })).toEqual(['body.tenant']);
    const wanted = { ...asked, tenant: selection };
    expect(fieldsOf(platform, { ...wanted, tables: ['a.b'] })).toEqual(['body.tables']);
    expect(fieldsOf(platform, { ...wanted, components: ['database', 'files'] })).toEqual(['body.tenant']);
    expect(fieldsOf({ type: 'import' }, wanted)).toEqual(['body.tenant']);
  });

  it('starts one execution, however often it is made, of all shards of the backup', async () => {
    const record = await requested();
    const { id, backupId = backupIdSchema.parse('none') } = record;
    const again = {
      id,
      backupId,
      mode: 'new',
      dryRun: false,
      shards: undefined,
      requestedBy: 'key',
      traceparent,
    } as const;
    await startRestore(deps(), again);
    expect(workflows.started.filter((name) => name === id)).toHaveLength(1);
    expect(record).toMatchObject({
      state: 'queued',
      shards,
      attempts: 1,
      executionArn: `arn:execution:${id}`,
    });
  });

  it('is refused for a backup that is not there, not complete, or has no such shard; nothing is started', async () => {
    const before = workflows.started.length;
    const backupId = backupIdSchema.parse(randomUUID());
    const id = restoreIdSchema.parse(newId());
    const common = {
      id,
      mode: 'new',
      dryRun: false,
      shards: undefined,
      requestedBy: 'key',
      traceparent,
    } as const;
    await expect(startRestore(deps(), { ...common, backupId })).rejects.toThrow(UnknownBackupError);
    await world.catalog.create({
      id: backupId,
      type: 'full',
      trigger: 'api',
      traceparent,
      shards,
      createdAt: '',
    });
    await expect(startRestore(deps(), { ...common, backupId })).rejects.toThrow(BackupNotRunningError);
    await expect(
      startRestore(deps(), {
        ...common,
        backupId: await completedBackup(),
        shards: [shardNameSchema.parse('shard-c')],
      }),
    ).rejects.toThrow(UnknownShardError);
    expect(workflows.started).toHaveLength(before);
    expect(await restores.get(id)).toBeUndefined();
  });
});

describe('a restore', () => {
  it('that failed is kept for a day, and can be resumed once for each failure, under another name', async () => {
    const record = await running();
    const ended = await fail(record);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'DependencyError' } });
    expect(await fail(record)).toBeUndefined();
    expect(await due(Date.now())).not.toContain(record.id);
    expect(await due(Date.now() + resumableMs + 1_000)).toContain(record.id);

    const failed = await current(record.id);
    expect(await resumeRestore(deps(), failed, traceparent)).toBe(true);
    expect(await resumeRestore(deps(), failed, traceparent)).toBe(false);
    expect(workflows.started).toContain(`${record.id}-2`);
    expect(await current(record.id)).toMatchObject({ state: 'queued', attempts: 2 });
    expect(await due(Date.now() + resumableMs + 1_000)).not.toContain(record.id);
  });

  it('that was resumed is not ended by the end of its first attempt, told late', async () => {
    const first = await running();
    await fail(first);
    expect(await resumeRestore(deps(), await current(first.id), traceparent)).toBe(true);
    const second = await current(first.id);
    expect(await fail(second, { name: first.id })).toBeUndefined();
    // Nor by one that has read it before it was resumed.
    expect(await fail(first)).toBeUndefined();
    expect(await current(first.id)).toMatchObject({ state: 'queued', attempts: 2 });
    expect(await fail(second)).toMatchObject({ state: 'failed', attempts: 2 });
  });

  it('that was canceled is stopped, and removed as soon as its execution has ended', async () => {
    const record = await running();
    expect(await cancelRestore(deps(), record)).toBe(true);
    expect(workflows.stopped).toContain(record.executionArn);
    const ended = await fail(await current(record.id), { aborted: true });
    expect(ended).toMatchObject({ state: 'canceled' });
    expect(ended).not.toHaveProperty('resumableUntil');
    expect(discarded).toContain(record.id);
    expect(await due(Date.now())).toContain(record.id);
    expect(await cancelRestore(deps(), await current(record.id))).toBe(true);
    expect(await resumeRestore(deps(), await current(record.id), traceparent)).toBe(false);
  });

  it('that failed can be given up, and is removed at once', async () => {
    const record = await running();
    await fail(record);
    expect(await cancelRestore(deps(), await current(record.id))).toBe(true);
    expect(await current(record.id)).toMatchObject({ state: 'canceled' });
    expect(await due(Date.now())).toContain(record.id);
    expect(await resumeRestore(deps(), await current(record.id), traceparent)).toBe(false);
  });

  it('that swaps databases is not canceled any more, and one that was canceled does not swap', async () => {
    const swapping = await running();
    expect(await restores.beginSwap(swapping.id, new Date().toISOString())).toBe(true);
    expect(await restores.beginSwap(swapping.id, new Date().toISOString())).toBe(true);
    expect(await cancelRestore(deps(), await current(swapping.id))).toBe(false);
    const canceled = await running();
    await cancelRestore(deps(), canceled);
    expect(await restores.beginSwap(canceled.id, new Date().toISOString())).toBe(false);
  });

  it('that only looked leaves nothing to resume or remove', async () => {
    const record = await running({ dryRun: true });
    await fail(record);
    expect(await current(record.id)).not.toHaveProperty('resumableUntil');
    expect(await due(Date.now() + resumableMs + 1_000)).not.toContain(record.id);
  });

  it('is completed once, and its databases are nobody’s to remove from then on', async () => {
    const { id } = await running();
    const notes = new RestoreNotes(world.table, id);
    const place = { host: 'h', port: 1, original: 'platform', objectsTotal: 4 };
    for (const shard of shards)
      await notes.setShard(shard, { ...place, stage: 'comparison', database: 'copy' });
    const complete = () => completeRestore({ restores, notes, clock: systemClock }, id);
    expect(await complete()).toMatchObject({ first: true, record: { state: 'completed', identical: true } });
    expect(await complete()).toMatchObject({ first: false });
    expect((await notes.shards()).map(({ settled, stage }) => [settled, stage])).toEqual([
      [true, 'done'],
      [true, 'done'],
    ]);
  });

  it('shows how far it is from the notes of its parts, whatever their order and however often they are written', async () => {
    const record = await running();
    const notes = new RestoreNotes(world.table, record.id);
    const place = { host: 'h', port: 1, original: 'platform', objectsTotal: 2 };
    const item = (shard: (typeof shards)[number], number: number) => ({
      ...{ shard, item: number, objects: 1, rows: 10, bytes: 1_000_000 },
      startedAt: '2026-11-20T10:00:00.000Z',
      loadedAt: '2026-11-20T10:00:02.000Z',
    });
    for (const shard of shards) await notes.setShard(shard, { ...place, stage: 'rows', database: 'copy' });
    for (const shard of shards) for (const number of [1, 0, 1]) await notes.putLoaded(item(shard, number));
    await notes.putLeftOut(shards[0] ?? fault(), 'ddl', [
      { object: 'EVENT TRIGGER audit', reason: 'r', statement: 's' },
    ]);
    const now = Date.parse('2026-11-20T10:00:05.000Z');
    const shown = restoreSchema.parse(await showRestore(record, notes, now));
    expect(shown).toMatchObject({
      progress: {
        stage: 'rows',
        objectsDone: 4,
        objectsTotal: 4,
        bytesRestored: 4_000_000,
        bytesPerSecond: 2_000_000,
      },
      plan: { ...plan, conflicts: [] },
      identical: null,
      shardDetails: [
        { shard: 'shard-a', rows: 20, leftOut: [{ object: 'EVENT TRIGGER audit' }] },
        { shard: 'shard-b', rows: 20, leftOut: [] },
      ],
    });
  });

  it('is listed page by page, the newest first', async () => {
    const made = [await requested(), await requested(), await requested()].map(({ id }) => id);
    const first = await restores.list(2);
    const second = await restores.list(2, first.next);
    const listed = [...first.restores, ...second.restores].map(({ id }) => id);
    expect(listed.slice(0, 3)).toEqual(made.reverse());
  });
});

describe('names that belong to a restore', () => {
  it('are names that PostgreSQL and Step Functions take, and differ between restores', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 63, unit: fc.constantFrom(...'abcxyz_09') }),
        (original) => {
          const [one, other] = [restoreIdSchema.parse(newId()), restoreIdSchema.parse(newId())];
          const name = restoredName(original, one);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
          expect(name).not.toBe(restoredName(original, other));
          expect(executionName(one, 12)).toMatch(/^[A-Za-z0-9-]{1,80}$/);
        },
      ),
    );
  });
});

describe('the time that a restore will take', () => {
  const earlier = (bytes: number, seconds: number) =>
    restoreRecordSchema.parse({
      ...{
        id: '01K9Z5C3W7F1B9D4H6J8M2N5PQ',
        backupId: 'b',
        state: 'completed',
        mode: 'new',
        dryRun: false,
        shards: [],
      },
      ...{ requestedBy: 'k', traceparent, attempts: 1, cancelRequested: false, createdAt: '' },
      startedAt: '2026-11-20T10:00:00.000Z',
      finishedAt: new Date(Date.parse('2026-11-20T10:00:00.000Z') + seconds * 1000).toISOString(),
      plan: { ...plan, bytes },
    });

  it('is told by the latest one that is large enough to tell', () => {
    expect(
      estimateMs(2_000_000_000, [earlier(1_000, 60), earlier(1_000_000_000, 50), earlier(1_000_000_000, 5)]),
    ).toBe(100_000);
  });

  it('is a cautious guess where there was none, and never less than making a database takes', () => {
    expect(estimateMs(4_000_000_000, [])).toBe(100_000);
    expect(estimateMs(1, [])).toBe(5_000);
  });
});

function fault(): never {
  throw new Error('There is no shard');
}
