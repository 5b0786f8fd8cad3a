import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import {
  type CountedTable,
  type DatabaseResult,
  databaseResultSchema,
  type ShardProperties,
} from './contract.ts';

/** The value that RDS keeps in a master user's secret. */
const masterSecret = z.object({ username: z.string(), password: z.string() });
const functionError = z.object({ errorType: z.string().optional(), errorMessage: z.string().optional() });

export interface DatabasesOptions {
  readonly lambda: LambdaClient;
  readonly secrets: SecretsManagerClient;
  readonly functionArn: string;
  /** Tables that analyses may count. */
  readonly counted: readonly CountedTable[];
  readonly traceparent: string;
  /** Before a further attempt, in milliseconds; doubles each time. Default 2 000. */
  readonly pauseMs?: number;
}

type OwnShard = ShardProperties & { readonly MasterSecretArn: string };

/** Whether the deployment owns the shard's cluster, and so has its master user. */
export function isOwn(shard: ShardProperties): shard is OwnShard {
  return shard.MasterSecretArn !== undefined;
}

/**
 * Has the database of each shard prepared by the function inside the VPC. The master user's password is read here,
 * outside, and passes only in the payload of a synchronous invocation.
 *
 * @throws Error naming the shards whose preparation failed, and why.
 */
export async function prepareDatabases(
  shards: readonly OwnShard[],
  options: DatabasesOptions,
): Promise<DatabaseResult[]> {
  const outcomes = await Promise.allSettled(shards.map((shard) => prepare(shard, options)));
  const results: DatabaseResult[] = [];
  const failures: string[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') results.push(outcome.value);
    else failures.push(`${shards[index]?.Name}: ${messageOf(outcome.reason)}`);
  }
  if (failures.length > 0) throw new Error(`Databases could not be prepared. ${failures.join('; ')}`);
  return results;
}

async function prepare(shard: OwnShard, options: DatabasesOptions): Promise<DatabaseResult> {
  const { SecretString = '' } = await options.secrets.send(
    new GetSecretValueCommand({ SecretId: shard.MasterSecretArn }),
  );
  const { username, password } = masterSecret.parse(JSON.parse(SecretString));
  const event = {
    traceparent: options.traceparent,
    shard: {
      name: shard.Name,
      database: shard.Database,
      host: shard.WriterHost,
      port: shard.WriterPort,
    },
    counted: options.counted,
    master: { username, password },
  };
  const { FunctionError, Payload } = await invoke(event, options);
  const answer: unknown = JSON.parse(new TextDecoder().decode(Payload));
  if (FunctionError !== undefined) {
    const { errorType, errorMessage } = functionError.parse(answer);
    throw new Error(`${errorType ?? FunctionError}: ${errorMessage ?? 'no message'}`);
  }
  return databaseResultSchema.parse(answer);
}

/** A function, its network and its permissions may need a moment after they have been created. */
const passing = /^(AccessDenied|ResourceConflict|ResourceNotReady|TooManyRequests|EC2|ENI|Service)/;

async function invoke(event: unknown, { lambda, functionArn, pauseMs = 2_000 }: DatabasesOptions) {
  const command = new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) });
  for (let attempt = 0; ; attempt++) {
    try {
      return await lambda.send(command);
    } catch (error) {
      if (attempt === 3 || !(error instanceof Error) || !passing.test(error.name)) throw error;
      await sleep(pauseMs * 2 ** attempt);
    }
  }
}

/** Never more than the message: a parse error of a secret would show a part of it. */
function messageOf(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof z.ZodError)
    return 'its secret or its answer is malformed';
  return error instanceof Error ? error.message : 'unknown';
}
