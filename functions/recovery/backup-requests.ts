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
import { componentsOf } from './components.ts';
import { failureOf } from './errors.ts';
import { type BackupId, type ShardName, shardNameSchema } from './ids.ts';
import type { Component } from './model.ts';
import { chooseShards } from './plan-backup.ts';
import type { Tenant } from './tenants/model.ts';
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
  readonly type: BackupInput['type'];
  readonly shards: readonly ShardName[] | undefined;
  readonly components?: readonly Component[] | undefined;
  /** The one tenant that it is of; absent: the whole platform. */
  readonly tenant?: Tenant | undefined;
  readonly requestedBy: string;
  readonly traceparent: string;
  /** As `BackupRecord` has them. */
  readonly keepDays?: number | null | undefined;
  readonly lockDays?: number | undefined;
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
  const components =
    known?.components ??
    componentsOf({
      ...(request.components && { components: [...request.components] }),
      ...(request.shards && { shards: [...request.shards] }),
      ...(request.tenant && { tenant: request.tenant }),
    });
  const shards = known?.shards ?? (components.includes('database') ? await wantedShards(deps, request) : []);
  const tenant = known === undefined ? request.tenant : known.tenant;
  const type = tenant === undefined ? request.type : 'full';
  await locks.acquire(id, shards);
  await catalog.create({
    id,
    type,
    components,
    tenant,
    trigger: 'api',
    requestedBy,
    traceparent,
    shards,
    createdAt: isoTime(clock.now()),
    keepDays: request.keepDays,
    lockDays: request.lockDays,
  });
  const input: BackupInput = {
    ...{ traceparent, trigger: 'api', type, requestedBy, components },
    ...(components.includes('database') && { shards }),
    ...(tenant && { tenant }),
  };
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
