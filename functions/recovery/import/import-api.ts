import type { RouteHandlers } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors, backupPath, noSuchBackup } from '../api-problems.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import { type Clock, isoTime } from '../clock.ts';
import { idOfWork } from '../id-of-work.ts';
import { type BackupId, backupIdSchema } from '../ids.ts';
import type { Backup } from '../model.ts';
import { toBackup } from '../view.ts';
import { isWaiting, uploadMs } from './abandoned.ts';
import type { importRoutes } from './contract.ts';
import { ImportCatalog } from './import-catalog.ts';
import { type ImportRecord, type ImportRequest, largestPut, uploadPartBytesOf } from './model.ts';
import { importProgress } from './progress.ts';
import { beginParts, completeParts, signUploads, type UploadPlace } from './uploads.ts';

export interface ImportApiDependencies {
  readonly table: RecoveryTable;
  readonly catalog: BackupCatalog;
  readonly uploadPlace: UploadPlace;
  readonly clock: Clock;
  /** Above this size a dump is uploaded in parts of this size. Default: what S3 takes at once. */
  readonly bounds?: { readonly largestPut: number; readonly partBytesOf: (sizeBytes: number) => number };
}

const defaultBounds = { largestPut, partBytesOf: uploadPartBytesOf };

/** How an import is shown, with its progress now or when it ended. */
export async function showImport(table: RecoveryTable, record: BackupRecord, now: number): Promise<Backup> {
  const progress =
    record.progress ?? importProgress(record, await new ImportCatalog(table, record.id).segments(), now);
  return toBackup(record, { progress, shardDetails: [] });
}

/** The routes of imports. */
export function importHandlers(deps: ImportApiDependencies): RouteHandlers<typeof importRoutes> {
  const { catalog, clock, uploadPlace } = deps;

  const find = async (id: BackupId): Promise<BackupRecord & { import: ImportRecord }> => {
    const record = await catalog.get(id);
    if (record?.import === undefined) throw noSuchBackup();
    return { ...record, import: record.import };
  };
  const findWaiting = async (id: BackupId) => {
    const record = await find(id);
    if (isWaiting(record) && clock.now() < Date.parse(record.import.uploadUntil)) return record;
    throw new Problem('conflict', `The import is ${record.state}: it does not wait for an upload any more.`);
  };
  const sign = (record: { id: BackupId; import: ImportRecord }, seconds: number) =>
    signUploads(uploadPlace, record.id, record.import, { seconds, now: clock.now() });

  return {
    startImport: ({ body, caller, workId, trace, log }) =>
      answerErrors(async () => {
        const id = await idOfWork(backupIdSchema, workId, (known) => catalog.get(known));
        const { traceparent } = trace;
        if ((await catalog.get(id)) === undefined) {
          await create(deps, { id, body, requestedBy: caller.keyId, traceparent });
          log.info('Import begun', { backupId: id, sizeBytes: body.sizeBytes });
        }
        const record = await find(id);
        return {
          status: 202,
          headers: { location: backupPath(id) },
          body: {
            ...(await showImport(deps.table, record, clock.now())),
            uploads: await sign(record, body.urlSeconds),
          },
        };
      }),

    renewImportUploads: ({ params, body }) =>
      answerErrors(async () => {
        const record = await findWaiting(params.backupId);
        return { status: 200, body: await sign(record, body.urlSeconds) };
      }),

    completeImport: ({ params, body, log }) =>
      answerErrors(async () => {
        const before = await find(params.backupId);
        const { multipart } = before.import;
        if (multipart === undefined) {
          throw new Problem('conflict', 'This import is not uploaded in parts: putting it completes it.');
        }
        if (isWaiting(before)) {
          const outcome = await completeParts(uploadPlace, before.id, multipart.uploadId, body.parts);
          if (typeof outcome === 'object') {
            throw new Problem('unprocessable-request', outcome.wrongParts, {
              errors: [{ field: 'body.parts', message: outcome.wrongParts }],
            });
          }
          log.info('Upload completed', { backupId: before.id, outcome });
        }
        const record = await find(before.id);
        return {
          status: 202,
          headers: { location: backupPath(record.id) },
          body: await showImport(deps.table, record, clock.now()),
        };
      }),
  };
}

async function create(
  { catalog, clock, uploadPlace, bounds = defaultBounds }: ImportApiDependencies,
  asked: { id: BackupId; body: ImportRequest; requestedBy: string; traceparent: string },
): Promise<void> {
  const { id, body, requestedBy, traceparent } = asked;
  const { name, format, sizeBytes, sha256, keepDays = null, lockDays } = body;
  const now = clock.now();
  const multipart =
    sizeBytes === undefined || sizeBytes <= bounds.largestPut
      ? undefined
      : { uploadId: await beginParts(uploadPlace, id), partBytes: bounds.partBytesOf(sizeBytes) };
  await catalog.create({
    id,
    type: 'import',
    trigger: 'api',
    components: [],
    requestedBy,
    traceparent,
    shards: [],
    createdAt: isoTime(now),
    keepDays,
    lockDays,
    import: {
      name,
      announced: {
        ...(format !== 'auto' && { format }),
        ...(sizeBytes !== undefined && { sizeBytes }),
        ...(sha256 !== undefined && { sha256 }),
      },
      uploadUntil: isoTime(now + uploadMs),
      ...(multipart !== undefined && { multipart }),
    },
  });
  await catalog.sweepNeeded(id, now + uploadMs);
}
