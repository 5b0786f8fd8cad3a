import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';

/** Names that Lambda sets itself; a function that configures one is refused, as on AWS. */
const reservedVariables = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
]);

/** Bytes that names and values of a function's variables may have together. */
const variablesLimit = 4096;

const definitionSchema = z.object({
  arn: z.string().regex(/^arn:[^:]+:lambda:[^:]+:\d{12}:function:[A-Za-z0-9_-]{1,64}$/),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  codeDirectory: z.string().min(1),
  handler: z.string().regex(/^[^\s.]+(\/[^\s.]+)*\.[^\s.]+$/),
  memoryMiB: z.number().int().min(128).max(10_240),
  timeoutSeconds: z.number().int().min(1).max(900),
  roleArn: z.string().min(1),
  reservedConcurrency: z.number().int().min(0).optional(),
  eventInvoke: z
    .object({
      maxRetryAttempts: z.number().int().min(0).max(2).optional(),
      maxAgeSeconds: z.number().int().min(1).max(21_600).optional(),
    })
    .loose()
    .optional(),
});

/** What happens to an asynchronous invocation, as `AWS::Lambda::EventInvokeConfig` says it. */
export interface EventInvokeConfig {
  /** 0 to 2; default 2. */
  maxRetryAttempts?: number;
  /** 1 to 21 600 (AWS: from 60); default 21 600. */
  maxAgeSeconds?: number;
  /** ARN that receives the record of an event that was given up. */
  onFailureArn?: string;
  /** ARN that receives the record of an event that succeeded. */
  onSuccessArn?: string;
}

/** A function as its template describes it. */
export interface LambdaDefinition {
  /** Without a qualifier. */
  arn: string;
  name: string;
  /** The unpacked asset; the current directory of the function. */
  codeDirectory: string;
  /** For example `index.handler`. */
  handler: string;
  /** 128 to 10 240. */
  memoryMiB: number;
  /** 1 to 900. */
  timeoutSeconds: number;
  /** The function's own variables; at most 4 KB. */
  environment: Readonly<Record<string, string>>;
  roleArn: string;
  /** Invocations at once; 0 throttles every one. Default: bounded by the account only. */
  reservedConcurrency?: number;
  eventInvoke?: EventInvokeConfig;
  /** Alias to the version it points at. All versions run the same code. */
  aliases?: Readonly<Record<string, string>>;
  /** Default `PassThrough`: traces that start here are not sampled. */
  tracing?: 'Active' | 'PassThrough';
  /** Default `/aws/lambda/<name>`. */
  logGroupName?: string;
  /** How `console` writes; default `Text`. */
  logFormat?: 'Text' | 'JSON';
  /** The least severe level a JSON logger should write, for example `DEBUG`. */
  applicationLogLevel?: string;
  description?: string;
  /** Default `nodejs24.x`; only told to callers of `GetFunction`. */
  runtime?: string;
  /** Default `arm64`; only told to callers of `GetFunction`. */
  architecture?: string;
}

/**
 * Refuses what CloudFormation would refuse.
 *
 * @throws {AwsError} `InvalidParameterValueException` naming the setting.
 */
export function checkDefinition(definition: LambdaDefinition): void {
  const parsed = definitionSchema.safeParse(definition);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`${definition.name}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const names = Object.keys(definition.environment);
  const reserved = names.filter((name) => reservedVariables.has(name));
  if (reserved.length > 0) {
    throw invalid(`${definition.name}: reserved environment variables: ${reserved.join(', ')}`);
  }
  const bytes = Object.entries(definition.environment)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > variablesLimit) {
    throw invalid(
      `${definition.name}: environment variables take ${bytes} bytes, more than the limit of 4KB`,
    );
  }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}
