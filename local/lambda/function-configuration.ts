import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';
import type { LambdaDefinition } from './definition.ts';
import type { FunctionInfo } from './functions.ts';

/** A function as `GetFunctionConfiguration` shows it. */
export function functionConfiguration(
  { definition, codeSha256, codeSizeBytes, changedAt }: FunctionInfo,
  asked: { version: string; functionArn: string } | undefined,
): Record<string, unknown> {
  return {
    FunctionName: definition.name,
    FunctionArn: asked?.functionArn ?? definition.arn,
    Runtime: definition.runtime ?? 'nodejs24.x',
    Role: definition.roleArn,
    Handler: definition.handler,
    CodeSize: codeSizeBytes,
    Description: definition.description ?? '',
    Timeout: definition.timeoutSeconds,
    MemorySize: definition.memoryMiB,
    LastModified: changedAt.toISOString().replace('Z', '+0000'),
    CodeSha256: codeSha256,
    Version: asked?.version ?? '$LATEST',
    Environment: { Variables: definition.environment },
    TracingConfig: { Mode: definition.tracing ?? 'PassThrough' },
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: [definition.architecture ?? 'arm64'],
    EphemeralStorage: { Size: 512 },
    LoggingConfig: {
      LogFormat: definition.logFormat ?? 'Text',
      LogGroup: definition.logGroupName ?? `/aws/lambda/${definition.name}`,
    },
  };
}

const changeSchema = z.strictObject({
  FunctionName: z.string(),
  Description: z.string().optional(),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()) }).optional(),
  MemorySize: z.number().optional(),
  Timeout: z.number().optional(),
});

/**
 * A function as `UpdateFunctionConfiguration` changes it; variables are replaced as a whole. It stays so until the
 * function is created anew at the next start.
 *
 * @throws {AwsError} `InvalidParameterValueException` naming a setting that is wrong, or that cannot be changed here.
 */
export function changedDefinition(definition: LambdaDefinition, input: unknown): LambdaDefinition {
  const parsed = changeSchema.safeParse(input);
  if (!parsed.success) throw new AwsError('InvalidParameterValueException', z.prettifyError(parsed.error));
  const { Description, Environment, MemorySize, Timeout } = parsed.data;
  return {
    ...definition,
    ...(Description !== undefined && { description: Description }),
    ...(Environment !== undefined && { environment: Environment.Variables }),
    ...(MemorySize !== undefined && { memoryMiB: MemorySize }),
    ...(Timeout !== undefined && { timeoutSeconds: Timeout }),
  };
}
