import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import type { LambdaDefinition } from './definition.ts';

/** Credentials of a function's role. */
export interface FunctionCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** Where the process finds the rest of the emulated AWS. */
export interface Surroundings {
  /** The one endpoint of all services, for example `http://127.0.0.1:4566`. */
  endpointUrl: string;
  /** `host:port` of the X-Ray daemon; without it functions are told of none. */
  xrayDaemonAddress?: string | undefined;
  /** PEM file of certificate authorities that functions trust besides the public ones. */
  caCertificatesFile?: string | undefined;
}

/**
 * All variables of a new execution environment: the function's own and those Lambda sets. Nothing
 * of the developer's environment gets in, and the home directory is the private one, so that the
 * SDK finds no configuration files either.
 */
export function environmentVariables(
  definition: LambdaDefinition,
  region: string,
  credentials: FunctionCredentials,
  surroundings: Surroundings,
  temporaryDirectory: string,
): Record<string, string> {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  const optional = {
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_XRAY_DAEMON_ADDRESS: surroundings.xrayDaemonAddress,
    NODE_EXTRA_CA_CERTS: surroundings.caCertificatesFile,
    AWS_LAMBDA_LOG_LEVEL: definition.applicationLogLevel,
  };
  return {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    ...definition.environment,
    HOME: temporaryDirectory,
    TMPDIR: temporaryDirectory,
    _HANDLER: definition.handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: surroundings.endpointUrl,
    AWS_EXECUTION_ENV: `AWS_Lambda_${definition.runtime ?? 'nodejs24.x'}`,
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMiB),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: definition.logFormat ?? 'Text',
    AWS_LAMBDA_LOG_GROUP_NAME: definition.logGroupName ?? `/aws/lambda/${definition.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[$LATEST]${randomBytes(16).toString('hex')}`,
    LAMBDA_TASK_ROOT: definition.codeDirectory,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    ...Object.fromEntries(
      Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  };
}

/**
 * V8's share of a function's memory, as Lambda's Node.js runtime divides it: a tenth for new
 * objects, the rest for old ones.
 */
export function memoryFlags(memoryMiB: number): string[] {
  const newSpace = Math.floor(memoryMiB / 10);
  return [
    `--max-semi-space-size=${Math.floor(newSpace / 2)}`,
    `--max-old-space-size=${memoryMiB - newSpace}`,
    '--max-http-header-size=81920',
  ];
}
