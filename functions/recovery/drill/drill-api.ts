import * as z from 'zod';
import type { HttpHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors, drillPath } from '../api-problems.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import { RestoreNotes } from '../catalog/restore-notes.ts';
import type { recoveryContract } from '../contract.ts';
import { idOfWork } from '../id-of-work.ts';
import type { KeySource } from '../keys/key-source.ts';
import { requireKeys } from '../keys/require-keys.ts';
import type { DrillRecord } from './drill-record.ts';
import { type DrillId, drillIdSchema, restoreOf } from './ids.ts';
import type { Drill } from './model.ts';
import { formatOf } from './report-format.ts';
import { cancelDrill, type DrillRequestDependencies, startDrill } from './requests.ts';
import { showDrill } from './view.ts';

export interface DrillApiDependencies extends DrillRequestDependencies {
  readonly table: RecoveryTable;
  readonly restores: RestoreCatalog;
  /** The keys that the deployment can open backups with; default: any may be asked for. */
  readonly availableKeys?: readonly KeySource[] | undefined;
}

type DrillHandlers = Pick<
  HttpHandlers<typeof recoveryContract>,
  'startDrill' | 'listDrills' | 'getDrill' | 'cancelDrill' | 'getDrillReport'
>;

const positionSchema = z.string().max(200);
const contentTypes = { json: 'application/json', markdown: 'text/markdown; charset=utf-8' } as const;
const noSuchDrill = () => new Problem('not-found', 'There is no drill of that id.');

/** The routes of drills. */
export function drillHandlers(deps: DrillApiDependencies): DrillHandlers {
  const { drills, restores, table } = deps;

  const find = async (id: DrillId): Promise<DrillRecord> => {
    const record = await drills.get(id);
    if (record === undefined) throw noSuchDrill();
    return record;
  };
  const show = async (record: DrillRecord): Promise<Drill> => {
    const id = restoreOf(record.id);
    const [restore, checks] = await Promise.all([restores.get(id), drills.checks(record.id)]);
    return showDrill(record, { restore, checks, notes: new RestoreNotes(table, id) });
  };
  const accepted = async (id: DrillId) => ({
    status: 202 as const,
    headers: { location: drillPath(id) },
    body: await show(await find(id)),
  });

  return {
    startDrill: ({ body, caller, workId, trace, log }) =>
      answerErrors(async () => {
        const id = await idOfWork(drillIdSchema, workId, (known) => drills.get(known));
        const { restorePoint, shards: wantedShards, reuseVerification, keys } = body;
        requireKeys(deps.availableKeys, keys);
        await startDrill(deps, {
          ...{ id, restorePoint, wantedShards, reuseVerification, keys },
          requestedBy: caller.keyId,
          traceparent: trace.traceparent,
        });
        log.info('Drill started', { drillId: id, restorePoint });
        return accepted(id);
      }),

    listDrills: ({ query }) =>
      answerErrors(async () => {
        const before = decodeToken('drills', positionSchema, query.nextToken);
        const page = await drills.list(query.limit, before);
        const nextToken = page.next === undefined ? null : encodeToken('drills', page.next);
        return { status: 200, body: { drills: await Promise.all(page.drills.map(show)), nextToken } };
      }),

    getDrill: ({ params }) =>
      answerErrors(async () => ({ status: 200, body: await show(await find(params.drillId)) })),

    cancelDrill: ({ params, log }) =>
      answerErrors(async () => {
        const record = await find(params.drillId);
        if (!(await cancelDrill(deps, record))) {
          throw new Problem('conflict', `The drill is ${record.state}: it cannot be canceled any more.`);
        }
        log.info('Drill canceled', { drillId: record.id });
        return accepted(record.id);
      }),

    getDrillReport: ({ params, query, request }) =>
      answerErrors(async () => {
        const { id } = await find(params.drillId);
        const report = await drills.report(id);
        if (report === undefined)
          throw new Problem('not-found', 'The drill has no report: it has not ended.');
        const format = query.format ?? formatOf(request.headers.accept);
        return {
          status: 200,
          headers: { 'content-type': contentTypes[format], vary: 'accept' },
          body: report[format],
        };
      }),
  };
}
