import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { HttpHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors, noSuchRestore, restorePath } from '../api-problems.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import { RestoreNotes } from '../catalog/restore-notes.ts';
import type { RestoreRecord } from '../catalog/restore-record.ts';
import type { recoveryContract } from '../contract.ts';
import { idOfWork } from '../id-of-work.ts';
import { type RestoreId, restoreIdSchema } from '../ids.ts';
import type { KeySource } from '../keys/key-source.ts';
import { requireKeys } from '../keys/require-keys.ts';
import type { TenantsConfig } from '../tenants/model.ts';
import { selectTenant } from '../tenants/select-tenant.ts';
import type { Restore } from './model.ts';
import { wantedOf } from './point-in-time/wanted.ts';
import {
  cancelRestore,
  discardStarter,
  type RestoreRequestDependencies,
  resumeRestore,
  startPointInTimeRestore,
  startRestore,
} from './requests.ts';
import { showRestore } from './view.ts';

export interface RestoreApiDependencies
  extends Omit<RestoreRequestDependencies, 'startDiscard' | 'startDiscardOfClusters'> {
  readonly table: RecoveryTable;
  readonly lambda: LambdaClient;
  readonly discardFunctionArn: string;
  readonly discardPointInTimeFunctionArn: string;
  /** The keys that the deployment can open backups with; default: any may be asked for. */
  readonly availableKeys?: readonly KeySource[];
  /** How the platform keeps its tenants apart; absent: no single one can be restored out of a platform's backup. */
  readonly tenants?: TenantsConfig | undefined;
}

type RestoreHandlers = Pick<
  HttpHandlers<typeof recoveryContract>,
  'startRestore' | 'listRestores' | 'getRestore' | 'cancelRestore' | 'resumeRestore'
>;

const positionSchema = z.string().max(200);

/** The routes of restores. */
export function restoreHandlers(deps: RestoreApiDependencies): RestoreHandlers {
  const { restores, clock, table } = deps;

  const find = async (id: RestoreId): Promise<RestoreRecord> => {
    const record = await restores.get(id);
    if (record === undefined) throw noSuchRestore();
    return record;
  };
  const show = (record: RestoreRecord): Promise<Restore> =>
    showRestore(record, new RestoreNotes(table, record.id), clock.now());
  const accepted = async (id: RestoreId) => ({
    status: 202 as const,
    headers: { location: restorePath(id) },
    body: await show(await find(id)),
  });
  const requests = (traceparent: string): RestoreRequestDependencies => ({
    ...deps,
    startDiscard: discardStarter(deps.lambda, deps.discardFunctionArn, traceparent),
    startDiscardOfClusters: discardStarter(deps.lambda, deps.discardPointInTimeFunctionArn, traceparent),
  });

  return {
    startRestore: ({ body, caller, workId, trace, log }) =>
      answerErrors(async () => {
        const id = await idOfWork(restoreIdSchema, workId, (known) => restores.get(known));
        const { traceparent } = trace;
        const { shards, tables, database, mode, dryRun, keys, components, files, tenant } = body;
        requireKeys(deps.availableKeys, keys);
        if (tenant !== undefined) selectTenant(deps.tenants, tenant);
        const asked = { id, shards, dryRun, requestedBy: caller.keyId, traceparent };
        const wanted = wantedOf(body);
        if ('backupId' in wanted) {
          await startRestore(requests(traceparent), {
            ...asked,
            ...wanted,
            tables,
            database,
            mode,
            keys,
            components,
            files,
            tenant,
          });
        } else {
          const { pointInTime, cutOver } = wanted;
          await startPointInTimeRestore(requests(traceparent), {
            ...asked,
            pointInTime,
            mode: cutOver ? 'replace' : 'new',
          });
        }
        log.info('Restore started', { restoreId: id, ...wanted, mode });
        return accepted(id);
      }),

    listRestores: ({ query }) =>
      answerErrors(async () => {
        const before = decodeToken('restores', positionSchema, query.nextToken);
        const page = await restores.list(query.limit, before);
        const nextToken = page.next === undefined ? null : encodeToken('restores', page.next);
        return { status: 200, body: { restores: await Promise.all(page.restores.map(show)), nextToken } };
      }),

    getRestore: ({ params }) =>
      answerErrors(async () => ({ status: 200, body: await show(await find(params.restoreId)) })),

    cancelRestore: ({ params, trace, log }) =>
      answerErrors(async () => {
        const record = await find(params.restoreId);
        if (!(await cancelRestore(requests(trace.traceparent), record))) {
          const what = record.state === 'running' ? 'swapping databases' : record.state;
          throw new Problem('conflict', `The restore is ${what}: it cannot be canceled any more.`);
        }
        log.info('Restore canceled', { restoreId: record.id });
        return accepted(record.id);
      }),

    resumeRestore: ({ params, trace, log }) =>
      answerErrors(async () => {
        const record = await find(params.restoreId);
        if (!(await resumeRestore(requests(trace.traceparent), record, trace.traceparent))) {
          throw new Problem(
            'conflict',
            `The restore is ${record.state}: only a failed one can be resumed, until \`resumableUntil\`.`,
          );
        }
        log.info('Restore resumed', { restoreId: record.id, attempt: record.attempts + 1 });
        return accepted(record.id);
      }),
  };
}
