import '../shared/output.ts';
import { randomUUID } from 'node:crypto';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { Idempotency } from '../../../functions/access/idempotency/idempotency.ts';
import { backupHandlers } from '../../../functions/recovery/backup-api.ts';
import { BackupCatalog } from '../../../functions/recovery/catalog/backup-catalog.ts';
import { endUnstarted } from '../../../functions/recovery/catalog/end-unstarted.ts';
import { OperationCatalog } from '../../../functions/recovery/catalog/operation-catalog.ts';
import { RecoveryTable } from '../../../functions/recovery/catalog/recovery-table.ts';
import { RestoreCatalog } from '../../../functions/recovery/catalog/restore-catalog.ts';
import { ShardLocks } from '../../../functions/recovery/catalog/shard-locks.ts';
import { systemClock } from '../../../functions/recovery/clock.ts';
import { recoveryContract } from '../../../functions/recovery/contract.ts';
import { idOfWork } from '../../../functions/recovery/id-of-work.ts';
import { type BackupId, backupIdSchema, shardNameSchema } from '../../../functions/recovery/ids.ts';
import { restoreHandlers } from '../../../functions/recovery/restore/restore-api.ts';
import { verificationHandlers } from '../../../functions/recovery/verification/verification-api.ts';
import { defineContract } from '../../../functions/shared/contract.ts';
import { type Gate, routeKeyOf } from '../../../functions/shared/gate.ts';
import { httpFunction } from '../../../functions/shared/http-function.ts';
import type { HttpHandlers } from '../../../functions/shared/http-handler.ts';
import { newId } from '../../../functions/shared/ids.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { type FakeAws, startFakeAws } from '../shared/fake-aws.ts';
import { httpEvent, lambdaContext } from '../shared/lambda.ts';

const { startBackup, verify, verifyHash, startRestore } = recoveryContract.routes;
const contract = defineContract({
  name: 'recovery',
  title: 'Recovery',
  description: 'What starts something, for anybody.',
  routes: { startBackup, verify, verifyHash, startRestore },
  functions: { api: { environment: z.object({}) } },
});
const answerSchema = z.looseObject({ id: z.string(), state: z.string() });
const shard = (number: number) => ({
  ...{ name: `shard-${number}`, clusterIdentifier: 'c', resourceId: 'r', database: 'd' },
  ...{ writer: { host: 'h', port: 1 }, epoch: 1, state: 'active' as const },
});

let dynamo: TestDynamo;
let workflows: FakeAws;
let catalog: BackupCatalog;
let operations: OperationCatalog;
let restores: RestoreCatalog;
let table: RecoveryTable;
let now: number;
let tests = 0;
/** Names of executions, in the order in which they were started. */
let executions: string[];
/** Where the function is stopped that asks for an execution; nothing else of it is heard. */
let stopped: 'before' | 'after' | undefined;
let onStopped: () => void;
let failing: boolean;
const clients: { destroy(): void }[] = [];

beforeAll(async () => {
  dynamo = await startDynamo('recovery', 'idempotency');
  workflows = await startFakeAws(({ input: { name } }) => {
    if (failing) return { status: 400, body: { __type: 'StateMachineDoesNotExist' } };
    if (executions.includes(String(name))) return { status: 400, body: { __type: 'ExecutionAlreadyExists' } };
    executions.push(String(name));
    return { body: { executionArn: `arn:execution:${name}`, startDate: 1 } };
  });
  table = new RecoveryTable(dynamo.client, 'recovery');
  catalog = new BackupCatalog(table);
  operations = new OperationCatalog(table);
  restores = new RestoreCatalog(table);
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await workflows?.stop();
  await dynamo?.stop();
});
beforeEach(() => {
  now = Date.now();
  tests++;
  executions = [];
  stopped = undefined;
  failing = false;
});

/** A function as it starts cold; each of its requests has 10 seconds by the clock of the records. */
function apiFunction() {
  const stepFunctions = new SFNClient(workflows.settings);
  clients.push(stepFunctions);
  stepFunctions.middlewareStack.add(
    (next) => async (args) => {
      const answer = stopped === 'before' ? undefined : await next(args);
      if (stopped === undefined && answer !== undefined) return answer;
      onStopped();
      return new Promise(() => {});
    },
    { step: 'initialize' },
  );
  const idempotency = new Idempotency({
    ...{ client: dynamo.client, table: 'idempotency', hours: 24, now: () => now },
  });
  const gate: Gate = {
    admit: async () => ({
      caller: { keyId: 'abcdefgh', name: 'Test', scopes: ['admin'], tier: 'free' },
      headers: {},
    }),
    once: ({ request, route, input }, handle) =>
      idempotency.run(
        {
          ...{ scope: routeKeyOf(route), key: request.headers['idempotency-key'] ?? '', payload: input },
          ...{ secrets: [], remainingMs: () => 10_000 },
        },
        handle,
      ),
    record: async () => {},
  };
  const common = {
    ...{ table, catalog, stepFunctions, clock: systemClock, stateMachineArn: 'arn:machine' },
    lambda: new LambdaClient(workflows.settings),
  };
  return httpFunction({
    contract,
    functionContract: contract.functions.api,
    environment: {},
    gate: () => gate,
    handlers: (): HttpHandlers<typeof contract> => {
      const { startBackup } = backupHandlers({
        ...common,
        locks: new ShardLocks(table, catalog),
        listShards: async () => Array.from({ length: 30 }, (_, number) => shard(number)),
        sweepFunctionArn: 'arn:sweep',
        defaultLockDays: 0,
      });
      const { verify, verifyHash } = verificationHandlers({
        ...common,
        operations,
        stageStateMachineArn: 'arn:stages',
      });
      const restoring = {
        ...common,
        backups: catalog,
        restores,
        discardFunctionArn: 'arn:discard',
        importStateMachineArn: 'arn:imports',
        pointInTimeStateMachineArn: 'arn:points-in-time',
        discardPointInTimeFunctionArn: 'arn:discard-clusters',
      };
      const { startRestore } = restoreHandlers(restoring);
      return { startBackup, verify, verifyHash, startRestore };
    },
  });
}

const send = async ({ path, body }: { path: string; body: unknown }, remainingMs = 30_000) => {
  const headers = { 'idempotency-key': `key-${tests}` };
  const event = httpEvent({ method: 'POST', path, body, headers });
  const {
    statusCode,
    headers: answered,
    body: text,
  } = await apiFunction()(event, lambdaContext(remainingMs));
  return { status: statusCode, headers: answered ?? {}, json: JSON.parse(text ?? '') };
};

/** How many backups, verifications and restores are in the catalogues. */
async function entries(): Promise<number> {
  const { Items = [] } = await dynamo.client.send(
    new ScanCommand({ TableName: 'recovery', ConsistentRead: true }),
  );
  return Items.filter(({ sk }) => sk === 'META').length;
}

async function completedBackup(): Promise<BackupId> {
  const id = backupIdSchema.parse(randomUUID());
  const shards = [shardNameSchema.parse('shard-0')];
  const at = new Date().toISOString();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await catalog.create({ id, type: 'full', trigger: 'api', traceparent, shards, createdAt: at });
  await catalog.start(id, { executionArn: 'arn:x', shards, startedAt: at });
  await catalog.complete(id, {
    finishedAt: at,
    manifest: { key: 'k', versionId: 'v', sha256: 's' },
    skewMs: 0,
    progress: {
      ...{ stage: 'done', chunksDone: 1, chunksStored: 1, chunksTotal: 1, bytesRead: 1, bytesStored: 1 },
      ...{ bytesPerSecond: 1, ratio: 1, etaMs: 0 },
    },
    ...{ shardDetails: [], sizeBytes: 1, rows: 1 },
  });
  return id;
}

const base = '/api/disaster-recovery';
const requests = {
  backup: async () => ({ path: `${base}/backup`, body: { shards: [`shard-${tests}`] } }),
  verification: async () => ({
    path: `${base}/encryption/verify`,
    body: { backupId: await completedBackup() },
  }),
  'comparison of hashes': async () => ({
    path: `${base}/encryption/verify-hash`,
    body: { backupId: await completedBackup() },
  }),
  restore: async () => ({ path: `${base}/restore`, body: { backupId: await completedBackup() } }),
};
const names: readonly (keyof typeof requests)[] = [
  'backup',
  'verification',
  'comparison of hashes',
  'restore',
];

/** Sends a request to a function that is stopped where it asks for the execution; it is abandoned then. */
async function cutShort(request: { path: string; body: unknown }, where: 'before' | 'after'): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onStopped = resolve;
  stopped = where;
  const [answer] = await Promise.all([send(request, 300), promise]);
  expect(answer.status).toBe(503);
  stopped = undefined;
  expect((await send(request)).status).toBe(409);
  now += 10_000;
}

describe.each(names)('the start of a %s that is repeated with its Idempotency-Key', (name) => {
  it.each(['before', 'after'] as const)(
    'is the same one when the function was stopped right %s its execution was started',
    async (where) => {
      const request = await requests[name]();
      const before = await entries();
      await cutShort(request, where);
      expect(await entries()).toBe(before + 1);
      expect(executions).toHaveLength(where === 'before' ? 0 : 1);
      const { status, headers, json } = await send(request);
      expect(status).toBe(202);
      const { id } = answerSchema.parse(json);
      expect(headers.location).toContain(id);
      expect(executions).toEqual([id]);
      const again = await send(request);
      expect(again.json).toEqual(json);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect(executions).toEqual([id]);
      expect(await entries()).toBe(before + 1);
    },
  );

  it('is another one when the first was cut short, not repeated for a while, and ended', async () => {
    const request = await requests[name]();
    await cutShort(request, 'before');
    const clock = { now: () => Date.now() + 16 * 60_000 };
    const [first] = await endUnstarted({ table, clock, log: { warn: () => {} } });
    const before = await entries();
    const { status, json } = await send(request);
    expect([status, json.state]).toEqual([202, 'queued']);
    expect(json.id).not.toBe(first);
    expect(executions).toEqual([json.id]);
    expect(await entries()).toBe(before + 1);
  });

  it('is another one when no execution could be started the first time', async () => {
    const request = await requests[name]();
    failing = true;
    expect((await send(request)).status).toBe(503);
    failing = false;
    const { status, json } = await send(request);
    expect([status, json.state]).toEqual([202, 'queued']);
    expect(executions).toEqual([json.id]);
  });
});

describe('the id of what a request starts', () => {
  const stateOf = (state: string, executionArn?: string) => async () => ({ state, executionArn });

  it('is the work id, unless what was begun under it has failed before it ran', async () => {
    const workId = newId();
    const of = (find: Parameters<typeof idOfWork<typeof backupIdSchema>>[2]) =>
      idOfWork(backupIdSchema, workId, find);
    for (const find of [
      async () => undefined,
      stateOf('queued'),
      stateOf('running', 'arn'),
      stateOf('failed', 'arn'),
    ]) {
      expect(await of(find)).toBe(workId);
    }
    const tried: string[] = [];
    const failAll = async (id: BackupId) => {
      tried.push(id);
      return { state: 'failed' };
    };
    const last = await of(failAll);
    expect(tried).toHaveLength(9);
    expect(new Set([...tried, last]).size).toBe(10);
    for (const id of [...tried, last]) {
      expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
      expect(id.slice(0, 10)).toBe(workId.slice(0, 10));
    }
    expect(await of(failAll)).toBe(last);
  });
});
