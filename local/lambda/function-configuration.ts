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
