import { PutObjectCommand } from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { DrillFindingsError, UnprotectedShardError } from '../errors.ts';
import { sha256Of } from '../hash.ts';
import { operationIdSchema } from '../ids.ts';
import type { Failure } from '../model.ts';
import type { Bucket } from '../objects/bucket.ts';
import { drillReportKey } from '../objects/object-keys.ts';
import type { DrillRecord } from './drill-record.ts';
import { checksComplete, type GatherDependencies, type Gathered, gather, reportOf } from './gather.ts';
import type { DrillId } from './ids.ts';
import { renderMarkdown } from './markdown.ts';
import { nestedErrors } from './nested-errors.ts';
import { drillReportSchema } from './report.ts';

export interface EndDrillDependencies extends GatherDependencies {
  readonly operations: OperationCatalog;
  readonly bucket: Bucket;
  readonly clock: Clock;
  /** The key that backups are encrypted with. */
  readonly keyArn: string;
  readonly rpoTargetMs: number;
  readonly rtoTargetMs: number;
  /** Hears why the report could not be stored in the bucket. */
  readonly onNotStored: (error: unknown) => void;
}

export interface DrillEnd {
  readonly removed: boolean;
  readonly aborted: boolean;
  /** Why the execution did not come to its end; nothing when it did. */
  readonly failure: Failure | undefined;
}

/**
 * Ends a drill: judges what was found, writes the report, and notes how it ended. Hearing of the same end twice is fine.
 *
 * @returns the record as it ended now; nothing when it had ended before.
 * @throws DependencyError
 */
export async function endDrill(
  deps: EndDrillDependencies,
  record: DrillRecord,
  { removed, aborted, failure }: DrillEnd,
): Promise<DrillRecord | undefined> {
  if (record.state !== 'queued' && record.state !== 'running') return undefined;
  const gathered = await gather(deps, record);
  const canceled = record.cancelRequested || aborted;
  const error = canceled
    ? undefined
    : failure === undefined
      ? judge(gathered)
      : withKey(await explain(deps, gathered, failure), deps.keyArn);
  const state = canceled ? 'canceled' : error === undefined ? 'completed' : 'failed';
  const finishedAt = isoTime(deps.clock.now());
  const { rpoTargetMs, rtoTargetMs } = deps;
  const report = await storeReport(
    deps,
    record.id,
    drillReportSchema.parse(
      reportOf(gathered, { outcome: state, finishedAt, removed, error, rpoTargetMs, rtoTargetMs }),
    ),
  );
  const { rtoMs } = gathered.rto;
  const outcome = {
    ...{ finishedAt, report },
    ...(rtoMs === null ? {} : { rtoMs }),
    ...(error === undefined ? {} : { error }),
  };
  const first = await deps.drills.end(record.id, state, outcome);
  if (first && state === 'completed') await deps.drills.noteCompleted(deps.clock.now());
  return first ? { ...record, ...outcome, state } : undefined;
}

/** Why a drill that came to its end has not passed; nothing when it has. */
export function judge({ record, checks, findings, restore }: Gathered): Failure | undefined {
  const refused = checks.reduce((total, note) => total + note.refused, 0);
  if (refused > 0) {
    const first = findings.find(({ accepted }) => !accepted);
    const which = first === undefined ? '' : ` The first: ${first.shard}, ${first.object}: ${first.problem}`;
    return { code: DrillFindingsError.name, message: `${refused} findings.${which}` };
  }
  if (restore?.identical !== true || !checksComplete(record, checks)) {
    return { code: DrillFindingsError.name, message: 'Not everything was checked.' };
  }
  const bare = record.rpo?.shards.filter(({ backupId }) => backupId === null) ?? [];
  if (bare.length === 0) return undefined;
  const names = bare.map(({ shard }) => shard).join(', ');
  return { code: UnprotectedShardError.name, message: `There is no complete backup of ${names}.` };
}

/** What a restore or a verification has failed of, its record knows. */
async function explain(
  { operations }: EndDrillDependencies,
  { record, restore }: Gathered,
  failure: Failure,
): Promise<Failure> {
  if (failure.code === nestedErrors.restore) return restore?.error ?? failure;
  if (failure.code !== nestedErrors.verification) return failure;
  return (await operations.get(operationIdSchema.parse(record.id)))?.error ?? failure;
}

/** KMS does not always say which key it was asked for. */
export function withKey({ code, message }: Failure, keyArn: string): Failure {
  const about = /\bKMS\b|\bkms:|KMSInvalidState|DisabledException/.test(message) && !message.includes(keyArn);
  return { code, message: about ? `${message} The key of backups is ${keyArn}.` : message };
}

/** Kept in the catalogue, from where it is given out; and in the bucket, which is encrypted with the key of backups. */
async function storeReport(
  deps: EndDrillDependencies,
  id: DrillId,
  report: ReturnType<typeof reportOf>,
): Promise<NonNullable<DrillRecord['report']>> {
  const json = `${JSON.stringify(report, undefined, 2)}\n`;
  const markdown = renderMarkdown(report);
  await deps.drills.putReport(id, { json, markdown });
  const key = drillReportKey(id, 'json');
  const hashes = { sha256: sha256Of(json), markdownSha256: sha256Of(markdown) };
  try {
    await put(deps.bucket, drillReportKey(id, 'md'), markdown, 'text/markdown; charset=utf-8');
    await put(deps.bucket, key, json, 'application/json');
    return { ...hashes, key };
  } catch (error) {
    // A drill that fails for want of the key is to say so.
    deps.onNotStored(error);
    return { ...hashes, key: null };
  }
}

async function put(bucket: Bucket, Key: string, Body: string, ContentType: string): Promise<void> {
  await onDependency('S3', `PutObject ${Key}`, () =>
    bucket.s3.send(
      new PutObjectCommand({ Bucket: bucket.name, Key, Body, ContentType, ChecksumAlgorithm: 'SHA256' }),
    ),
  );
}
