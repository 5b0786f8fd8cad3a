import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import {
  ExecutionAlreadyExists,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { onDependency } from '../shared/dependency.ts';
import type { Shard } from '../shared/shards.ts';
import type { BackupCatalog } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import type { ShardLocks } from './catalog/shard-locks.ts';
import { type Clock, isoTime } from './clock.ts';
import { failureOf } from './errors.ts';
import { type BackupId, type ShardName, shardNameSchema } from './ids.ts';
import { chooseShards } from './plan-backup.ts';
import { stragglersUntil } from './stragglers.ts';
import type { BackupInput } from './workflow.ts';

export interface RequestDependencies {
  readonly catalog: BackupCatalog;
  readonly locks: ShardLocks;
  readonly listShards: () => Promise<readonly Shard[]>;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly clock: Clock;
}

export interface BackupRequest {
  readonly id: BackupId;
  readonly shards: readonly ShardName[] | undefined;
  readonly requestedBy: string;
  readonly traceparent: string;
}

/**
 * Starts a backup. Asked again with the id of a backup that exists, it starts nothing new, and finishes what was cut short.
 *
 * @throws UnknownShardError, BackupConflictError: nothing was started. DependencyError: the backup has failed.
 */
export async function startBackup(deps: RequestDependencies, request: BackupRequest): Promise<void> {
  const { catalog, locks, clock } = deps;
  const { id, requestedBy, traceparent } = request;
  const known = await catalog.get(id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  const shards = known?.shards ?? (await wantedShards(deps, request));
  await locks.acquire(id, shards);
  await catalog.create({
    id,
    type: 'full',
    trigger: 'api',
    requestedBy,
    traceparent,
    shards,
    createdAt: isoTime(clock.now()),
  });
  const input: BackupInput = { traceparent, trigger: 'api', type: 'full', requestedBy, shards };
  try {
    const executionArn = await startExecution(deps.stepFunctions, deps.stateMachineArn, id, input);
    if (executionArn !== undefined) await catalog.setExecution(id, executionArn);
  } catch (error) {
    await catalog.end(id, 'failed', { finishedAt: isoTime(clock.now()), error: failureOf(error) });
    await locks.release(id, shards);
    throw error;
  }
}

async function wantedShards(
  { listShards }: Pick<RequestDependencies, 'listShards'>,
  { shards }: BackupRequest,
): Promise<ShardName[]> {
  return chooseShards(await listShards(), shards).map(({ name }) => shardNameSchema.parse(name));
}

/**
 * Starts an execution of that name; one that is there already is the same.
 * @returns its ARN; nothing when it was there already.
 * @throws DependencyError
 */
export async function startExecution(
  stepFunctions: SFNClient,
  stateMachineArn: string,
  name: string,
  input: unknown,
): Promise<string | undefined> {
  return onDependency('Step Functions', `StartExecution ${name}`, async () => {
    try {
      const started = await stepFunctions.send(
        new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
      );
      return started.executionArn;
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return undefined;
      throw error;
    }
  });
}

/** Stops an execution; one that has ended stays as it is. */
export async function stopExecution(stepFunctions: SFNClient, executionArn: string): Promise<void> {
  await onDependency('Step Functions', 'StopExecution', () =>
    stepFunctions.send(
      new StopExecutionCommand({ executionArn, error: 'Canceled', cause: 'Canceled through the API' }),
    ),
  );
}

/**
 * Cancels a backup that is at work. The report of its end does the rest.
 * @returns whether it was at work, or had been canceled before.
 */
export async function cancelBackup(
  deps: Pick<RequestDependencies, 'catalog' | 'stepFunctions'>,
  record: BackupRecord,
): Promise<boolean> {
  if (record.state === 'canceled') return true;
  if (!(await deps.catalog.requestCancel(record.id))) return false;
  if (record.executionArn !== undefined) await stopExecution(deps.stepFunctions, record.executionArn);
  return true;
}

/**
 * Begins to delete a backup that has ended; `sweep` removes what it stored.
 * @returns whether it had ended.
 */
export async function deleteBackup(
  { catalog, locks }: Pick<RequestDependencies, 'catalog' | 'locks'>,
  startSweep: (id: BackupId) => Promise<void>,
  id: BackupId,
): Promise<boolean> {
  if (!(await catalog.beginDelete(id))) return false;
  const { finishedAt, shards = [] } = (await catalog.get(id)) ?? {};
  // Its end may have been cut short; a lock whose backup is unknown counts for a while.
  await locks.release(id, shards);
  await catalog.sweepNeeded(id, finishedAt === undefined ? 0 : stragglersUntil(Date.parse(finishedAt)));
  // What is noted is found by the next scheduled run as well.
  await startSweep(id).catch(() => undefined);
  return true;
}

/** Invokes `sweep` for one backup, asynchronously; should that be lost, the next scheduled run finds it. */
export function sweepStarter(
  lambda: LambdaClient,
  functionArn: string,
  traceparent: string,
): (backupId: BackupId) => Promise<void> {
  return async (backupId) => {
    await onDependency('Lambda', 'Invoke sweep', () =>
      lambda.send(
        new InvokeCommand({
          FunctionName: functionArn,
          InvocationType: 'Event',
          Payload: JSON.stringify({ backupId, traceparent }),
        }),
      ),
    );
  };
}
