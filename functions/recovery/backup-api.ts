import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../shared/paging.ts';
import { Problem } from '../shared/problem.ts';
import { answerErrors, backupPath, noSuchBackup } from './api-problems.ts';
import { cancelBackup, type RequestDependencies, startBackup, sweepStarter } from './backup-requests.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { ComponentCatalog } from './catalog/component-catalog.ts';
import type { RecoveryTable } from './catalog/recovery-table.ts';
import { readComponentProgress } from './component-progress.ts';
import type { recoveryContract } from './contract.ts';
import { deleteBackup } from './expiry/delete-backup.ts';
import { idOfWork } from './id-of-work.ts';
import { type BackupId, backupIdSchema } from './ids.ts';
import { cancelWaiting } from './import/abandoned.ts';
import { showImport } from './import/import-api.ts';
import type { Backup } from './model.ts';
import { readProgress } from './read-progress.ts';
import type { TenantsConfig } from './tenants/model.ts';
import { selectTenant } from './tenants/select-tenant.ts';
import { toBackup, toSummary } from './view.ts';

export interface BackupApiDependencies extends RequestDependencies {
  readonly table: RecoveryTable;
  readonly lambda: LambdaClient;
  readonly sweepFunctionArn: string;
  /** What the bucket locks each new object for, in days; 0: not at all. */
  readonly defaultLockDays: number;
  /** How the platform keeps its tenants apart; absent: there are no backups of single ones. */
  readonly tenants?: TenantsConfig | undefined;
}

type BackupHandlers = Pick<
  HttpHandlers<typeof recoveryContract>,
  'startBackup' | 'listBackups' | 'getBackup' | 'cancelBackup' | 'deleteBackup'
>;

const positionSchema = z.string().max(200);

/** The routes of backups. */
export function backupHandlers(deps: BackupApiDependencies): BackupHandlers {
  const { catalog, clock } = deps;

  const find = async (id: BackupId): Promise<BackupRecord> => {
    const record = await catalog.get(id);
    if (record === undefined) throw noSuchBackup();
    return record;
  };
  const show = async (record: BackupRecord): Promise<Backup> => {
    const { progress, shardDetails = [], files = null, configuration = null } = record;
    if (progress !== undefined) return toBackup(record, { progress, shardDetails, files, configuration });
    if (record.type === 'import') return showImport(deps.table, record, clock.now());
    const chunks = new ChunkCatalog(deps.table, record.id);
    const components = new ComponentCatalog(deps.table, record.id);
    return toBackup(record, {
      ...(await readProgress(chunks, record, clock.now())),
      ...(await readComponentProgress(components, record.components)),
    });
  };
  const accepted = async (id: BackupId) => ({
    status: 202 as const,
    headers: { location: backupPath(id) },
    body: await show(await find(id)),
  });

  return {
    startBackup: ({ body, caller, workId, trace, log }) =>
      answerErrors(async () => {
        const id = await idOfWork(backupIdSchema, workId, (known) => catalog.get(known));
        const { traceparent } = trace;
        const { type, components, shards, keepDays, lockDays, tenant } = body;
        const requestedBy = caller.keyId;
        if (tenant !== undefined) selectTenant(deps.tenants, tenant);
        await startBackup(deps, {
          ...{ id, type, components, shards, requestedBy, traceparent },
          ...{ keepDays, lockDays, tenant },
        });
        log.info('Backup started', { backupId: id });
        return accepted(id);
      }),

    listBackups: ({ query }) =>
      answerErrors(async () => {
        const before = decodeToken('backups', positionSchema, query.nextToken);
        const { backups, next } = await catalog.list(query.limit, before, query.state, query.tenant);
        const nextToken = next === undefined ? null : encodeToken('backups', next);
        return { status: 200, body: { backups: backups.map(toSummary), nextToken } };
      }),

    getBackup: ({ params }) =>
      answerErrors(async () => ({ status: 200, body: await show(await find(params.backupId)) })),

    cancelBackup: ({ params, log }) =>
      answerErrors(async () => {
        const record = await find(params.backupId);
        if (!(await cancelBackup(deps, record))) {
          const what = record.state === 'running' ? 'being committed' : record.state;
          throw new Problem('conflict', `The backup is ${what}: it cannot be canceled any more.`);
        }
        await cancelWaiting(catalog, record, clock.now());
        log.info('Backup canceled', { backupId: record.id });
        return accepted(record.id);
      }),

    deleteBackup: ({ params, trace, log }) =>
      answerErrors(async () => {
        const { id } = await find(params.backupId);
        const startSweep = sweepStarter(deps.lambda, deps.sweepFunctionArn, trace.traceparent);
        if (!(await deleteBackup(deps, startSweep, id))) {
          throw new Problem('conflict', 'The backup is still running: cancel it first.');
        }
        log.info('Backup is being deleted', { backupId: id });
        return accepted(id);
      }),
  };
}
