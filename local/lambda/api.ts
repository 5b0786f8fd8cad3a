import * as z from 'zod';
import type { RestApi, RestRequest, RestResponse } from '../aws/api.ts';
import { type Authorization, AwsError, type Operation, type OperationContext } from '../aws/operation.ts';
import { notEmulated } from '../aws/registry.ts';
import { findRoute } from './api-routes.ts';
import { changedDefinition, functionConfiguration } from './function-configuration.ts';
import { parseFunctionReference } from './function-reference.ts';
import type { LambdaHost } from './host.ts';

const invokeSchema = z.object({
  FunctionName: z.string(),
  Qualifier: z.string().optional(),
  InvocationType: z.enum(['RequestResponse', 'Event', 'DryRun']).optional(),
  LogType: z.enum(['None', 'Tail']).optional(),
  /** Base64 of JSON. */
  ClientContext: z.string().optional(),
  /** JSON text, or its bytes. */
  Payload: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
  /** `X-Amzn-Trace-Id` of the caller; no member of AWS's. */
  TraceHeader: z.string().optional(),
});

const invokeResultSchema = z.object({
  StatusCode: z.number(),
  ExecutedVersion: z.string(),
  RequestId: z.string(),
  Payload: z.string().optional(),
  FunctionError: z.string().optional(),
  LogResult: z.string().optional(),
});

const namedSchema = z.object({ FunctionName: z.string(), Qualifier: z.string().optional() });
const listSchema = z.object({
  Marker: z.string().optional(),
  MaxItems: z.coerce.number().int().min(1).max(10_000).optional(),
});

/** Functions in one page of a list, as on AWS. */
const pageSize = 50;
/** More than any payload may have; what is between is refused by name. */
const bodyLimit = 16 * 1024 * 1024;

/**
 * Lambda's API over a host: `Invoke`, `ListFunctions`, `GetFunction`, `GetFunctionConfiguration`,
 * `UpdateFunctionConfiguration`.
 */
export function lambdaApi(host: LambdaHost): RestApi {
  const operations = {
    Invoke: invokeOperation(host),
    ListFunctions: {
      authorize: (): Authorization[] => [{ action: 'lambda:ListFunctions', resource: '*' }],
      run: (input) => {
        const { Marker = '', MaxItems = pageSize } = parse(listSchema, input);
        const rest = host.functions().filter(({ definition }) => definition.name > Marker);
        const page = rest.slice(0, Math.min(MaxItems, pageSize));
        const last = page.at(-1)?.definition.name;
        const Functions = page.map((info) => functionConfiguration(info, undefined));
        return rest.length > page.length ? { Functions, NextMarker: last } : { Functions };
      },
    },
    GetFunction: {
      authorize: (input, context) => [grantOn('lambda:GetFunction', input, context)],
      run: (input) => {
        const { codeDirectory } = host.find(reference(input)).definition;
        const Code = { RepositoryType: 'file', Location: `file://${codeDirectory}` };
        return { Configuration: describe(host, input), Code, Tags: {} };
      },
    },
    GetFunctionConfiguration: {
      authorize: (input, context) => [grantOn('lambda:GetFunctionConfiguration', input, context)],
      run: (input) => describe(host, input),
    },
    UpdateFunctionConfiguration: {
      authorize: (input, context) => [grantOn('lambda:UpdateFunctionConfiguration', input, context)],
      run: async (input) => {
        const { definition } = host.find(reference(input));
        await host.ensureFunction(changedDefinition(definition, input));
        return describe(host, input);
      },
    },
  } satisfies Record<string, Operation>;

  return {
    protocol: 'rest',
    signingName: 'lambda',
    errors: 'json',
    operations,
    operationOf: ({ method, rawPath }) => findRoute(method, rawPath).operation,
    handle: async (request) => {
      const { operation: name, functionName = '' } = findRoute(request.method, request.rawPath);
      const operation = new Map<string, Operation>(Object.entries(operations)).get(name);
      if (operation === undefined) throw notEmulated('lambda', name);
      const input = {
        ...Object.fromEntries(request.query),
        ...(name === 'Invoke' && (await invokeInput(request))),
        ...(name === 'UpdateFunctionConfiguration' && (await jsonBody(request))),
        FunctionName: functionName,
      };
      request.authorize(await operation.authorize(input, request.context));
      const output = await operation.run(input, request.context);
      return name === 'Invoke' ? invokeAnswer(output) : json(200, output);
    },
  };
}

function invokeOperation(host: LambdaHost): Operation {
  return {
    authorize: (input, context) => [grantOn('lambda:InvokeFunction', input, context)],
    run: async (input): Promise<z.infer<typeof invokeResultSchema>> => {
      const { Payload = '', ...request } = parse(invokeSchema, input);
      const result = await host.invoke(
        reference(input),
        typeof Payload === 'string' ? Payload : Buffer.from(Payload).toString('utf8'),
        {
          type: request.InvocationType,
          traceHeader: request.TraceHeader,
          clientContext: clientContext(request.ClientContext),
        },
      );
      return {
        StatusCode: result.statusCode,
        ExecutedVersion: result.executedVersion,
        RequestId: result.requestId,
        Payload: result.payload,
        FunctionError: result.functionError,
        LogResult: request.LogType === 'Tail' ? Buffer.from(result.logTail).toString('base64') : undefined,
      };
    },
  };
}

async function invokeInput(request: RestRequest): Promise<Record<string, unknown>> {
  const { headers } = request;
  return {
    InvocationType: headers['x-amz-invocation-type'],
    LogType: headers['x-amz-log-type'],
    ClientContext: headers['x-amz-client-context'],
    TraceHeader: headers['x-amzn-trace-id'],
    Payload: await request.buffer(bodyLimit),
  };
}

async function jsonBody(request: RestRequest): Promise<Record<string, unknown>> {
  const text = (await request.buffer(bodyLimit)).toString('utf8');
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw new AwsError('SerializationException', 'The request body is not a JSON object.');
  }
}

function invokeAnswer(output: unknown): RestResponse {
  const result = invokeResultSchema.parse(output);
  const headers = {
    'content-type': 'application/json',
    'x-amzn-requestid': result.RequestId,
    'x-amz-executed-version': result.ExecutedVersion,
    ...(result.FunctionError === undefined ? {} : { 'x-amz-function-error': result.FunctionError }),
    ...(result.LogResult === undefined ? {} : { 'x-amz-log-result': result.LogResult }),
  };
  return { status: result.StatusCode, headers, body: result.Payload ?? '' };
}

function describe(host: LambdaHost, input: unknown): Record<string, unknown> {
  const { definition, version, functionArn } = host.find(reference(input));
  const info = host.functions().find((other) => other.definition.name === definition.name);
  return info === undefined ? {} : functionConfiguration(info, { version, functionArn });
}

/** Name or ARN and the qualifier that was given beside it. */
function reference(input: unknown): string {
  const { FunctionName, Qualifier } = parse(namedSchema, input);
  const { qualifier } = parseFunctionReference(FunctionName);
  if (Qualifier === undefined || qualifier === Qualifier) return FunctionName;
  if (qualifier === undefined) return `${FunctionName}:${Qualifier}`;
  throw new AwsError(
    'InvalidParameterValueException',
    'The derived qualifier from the function name does not match the specified qualifier.',
  );
}

/** What IAM has to allow for a call on one function: the qualifier is part of the resource. */
function grantOn(action: string, input: unknown, { region, accountId }: OperationContext): Authorization {
  const { name, qualifier } = parseFunctionReference(reference(input));
  const arn = `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  return { action, resource: qualifier === undefined ? arn : `${arn}:${qualifier}` };
}

function clientContext(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  const text = Buffer.from(base64, 'base64').toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw new AwsError(
      'InvalidRequestContentException',
      'Client context must be a valid Base64-encoded JSON object.',
    );
  }
}

function json(status: number, body: unknown): RestResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AwsError('ValidationException', `${issue?.path.join('.')}: ${issue?.message}`);
}
