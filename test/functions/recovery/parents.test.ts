import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BackupCatalog } from '../../../functions/recovery/catalog/backup-catalog.ts';
import type { BackupRecord } from '../../../functions/recovery/catalog/backup-record.ts';
import { RecoveryTable } from '../../../functions/recovery/catalog/recovery-table.ts';
import { releaseReferences } from '../../../functions/recovery/catalog/release-references.ts';
import {
  type BackupId,
  backupIdSchema,
  operationIdSchema,
  shardNameSchema,
} from '../../../functions/recovery/ids.ts';
import { chooseParents, maxReferences } from '../../../functions/recovery/parents.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

const a = shardNameSchema.parse('shard-a');
const b = shardNameSchema.parse('shard-b');

let dynamo: TestDynamo;
let table: RecoveryTable;
let catalog: BackupCatalog;
let second = 0;

beforeEach(async () => {
  dynamo = await startDynamo('recovery');
  table = new RecoveryTable(dynamo.client, 'recovery');
  catalog = new BackupCatalog(table);
});

afterEach(() => dynamo.stop());

/** Made one after the other, each running until it is completed. */
async function create(shards = [a], type: 'full' | 'incremental' = 'full'): Promise<BackupId> {
  const id = backupIdSchema.parse(randomUUID());
  const createdAt = new Date(Date.UTC(2026, 10, 20) + ++second * 1000).toISOString();
  await catalog.create({ id, type, trigger: 'api', traceparent: '', shards, createdAt });
  await catalog.start(id, { executionArn: 'arn:x', shards, startedAt: createdAt });
  return id;
}

async function completed(shards = [a], values: Partial<BackupRecord> = {}): Promise<BackupId> {
  const id = await create(shards);
  await table.set({ pk: `BACKUP#${id}`, sk: 'META' }, { state: 'completed', manifest, ...values });
  return id;
}

const manifest = { key: 'k', versionId: 'v', sha256: 's' };
const damaged = {
  operationId: operationIdSchema.parse(randomUUID()),
  state: 'completed' as const,
  at: '',
  findings: 1,
};

async function chosen(shards = [a]): Promise<BackupRecord | undefined> {
  const id = await create(shards, 'incremental');
  await chooseParents(catalog, id);
  return catalog.get(id);
}

describe('the parents of a backup', () => {
  it('are the newest complete backups of its shards, and are kept with all that they refer to', async () => {
    const oldest = await completed([a, b]);
    const newest = await completed([a], { references: [oldest] });
    const record = await chosen([a, b]);
    expect(record).toMatchObject({ type: 'incremental', parents: { [a]: newest, [b]: oldest } });
    expect(new Set(record?.references)).toEqual(new Set([oldest, newest]));
    for (const id of [oldest, newest]) {
      expect((await catalog.get(id))?.dependents).toEqual([record?.id]);
      expect(await catalog.beginDelete(id)).toBe(false);
    }
    if (record !== undefined) await releaseReferences(catalog, record);
    for (const id of [oldest, newest]) expect(await catalog.beginDelete(id)).toBe(true);
  });

  it('are none where there is none, and the backup is full', async () => {
    await create([a]);
    expect(await chosen([a])).toMatchObject({ type: 'full', parents: {}, references: [] });
  });

  it.each<[string, Partial<BackupRecord>]>([
    ['was found damaged', { verification: damaged }],
    ['is an import', { type: 'import' }],
    ['is of one tenant', { tenant: { id: 'acme', by: 'schema' } }],
    ['has no databases', { components: ['files'] }],
    ['has expired', { state: 'expired' }],
    ['is being deleted', { state: 'deleting' }],
    ['failed', { state: 'failed' }],
    [
      'refers to too many',
      { references: Array.from({ length: maxReferences }, () => backupIdSchema.parse(randomUUID())) },
    ],
    ['refers to one that is gone', { references: [backupIdSchema.parse(randomUUID())] }],
  ])('are not a backup that %s, but the one before', async (_, values) => {
    const before = await completed();
    await completed([a], values);
    expect(await chosen()).toMatchObject({ parents: { [a]: before } });
  });

  it('are not a backup that refers to one that was found damaged', async () => {
    const before = await completed([a], { verification: damaged });
    await completed([a], { references: [before] });
    expect(await chosen()).toMatchObject({ type: 'full', parents: {} });
  });

  it('stay the ones that were chosen first, and a shard whose parent is gone meanwhile is full', async () => {
    const first = await completed([a]);
    const second = await completed([b]);
    const record = await chosen([a, b]);
    if (record === undefined) throw new Error('It was not created.');
    await completed([a, b]);
    await chooseParents(catalog, record.id);
    expect(await catalog.get(record.id)).toMatchObject({ parents: { [a]: first, [b]: second } });
    await table.set({ pk: `BACKUP#${second}`, sk: 'META' }, { state: 'failed' });
    await chooseParents(catalog, record.id);
    expect(await catalog.get(record.id)).toMatchObject({ type: 'incremental', parents: { [a]: first } });
    expect((await catalog.get(record.id))?.parents).not.toHaveProperty(b);
  });

  it('are not chosen for a backup that was canceled', async () => {
    await completed();
    const id = await create([a], 'incremental');
    await catalog.requestCancel(id);
    await expect(chooseParents(catalog, id)).rejects.toMatchObject({ name: 'BackupNotRunningError' });
  });
});
