import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListFunctions,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { callControl } from '../../../local/control/control-client.ts';
import { awsConfig, controlOf } from './aws.ts';
import type { LocalJson } from './local-platform.ts';
import { sharedStateDirectory } from './shared-platform.ts';

/** The name of the one function whose name holds `part`. */
export async function functionNamed(local: LocalJson, part: string): Promise<string> {
  const names: string[] = [];
  for await (const { Functions = [] } of paginateListFunctions(
    { client: new LambdaClient(awsConfig(local)) },
    {},
  )) {
    names.push(
      ...Functions.flatMap(({ FunctionName = '' }) => (FunctionName.includes(part) ? [FunctionName] : [])),
    );
  }
  const [name] = names;
  if (name === undefined || names.length > 1) throw new Error(`${names.length} functions hold ${part}.`);
  return name;
}

/**
 * Runs `work` while a function has other values of some of its variables, as an operator may set them. Its processes are new ones
 * then, and new ones again afterwards.
 */
export async function withVariables<T>(
  local: LocalJson,
  part: string,
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const client = new LambdaClient(awsConfig(local));
  const FunctionName = await functionNamed(local, part);
  const { Environment } = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const before = Environment?.Variables ?? {};
  const set = (Variables: Record<string, string>) =>
    client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  await set({ ...before, ...variables });
  try {
    return await work();
  } finally {
    await set(before);
    client.destroy();
  }
}

/** Most memory that a process of the function, as it is configured now, ever had resident, in bytes. */
export async function peakRssOf(local: LocalJson, part: string): Promise<number> {
  const answer = await callControl(controlOf(local), 'lambda/peak-rss', { function: part });
  return z.object({ bytes: z.number() }).parse(answer).bytes;
}

export interface FunctionLog {
  /** For example `Mainstay-local-Platform-RecoveryPlanFunctionD1E1291C`. */
  name: string;
  lines: Record<string, unknown>[];
}

/** The structured lines in the logs of the shared runtime's functions whose name holds `part`. */
export async function functionLogs(part: string): Promise<FunctionLog[]> {
  const directory = join(sharedStateDirectory(), 'logs');
  const names = (await readdir(directory)).filter((name) => name.includes(part) && name.endsWith('.log'));
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(directory, name), 'utf8');
      return { name: name.replace(/\.log$/, ''), lines: text.split('\n').flatMap(structured) };
    }),
  );
}

function structured(line: string): Record<string, unknown>[] {
  if (!line.startsWith('{')) return [];
  return [z.record(z.string(), z.unknown()).parse(JSON.parse(line))];
}
