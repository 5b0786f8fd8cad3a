import * as z from 'zod';
import type { RestApi, RestRequest, RestResponse } from '../aws/api.ts';
import { AwsError } from '../aws/operation.ts';

/** One thing that tests and the demo do to the running system, which no AWS API offers. */
export interface Control<T> {
  input: z.ZodType<T>;
  run(input: T): unknown;
}

/** Declares a control; keeps the types of its input and its action together. */
export function control<T>(input: z.ZodType<T>, run: (input: T) => unknown): Control<unknown> {
  return { input, run: (value) => run(input.parse(value)) };
}

/**
 * Serves controls at `POST /_mainstay/control/<name>` with a JSON body. Requests are signed by the
 * operator for the service `mainstay-control`.
 */
export function controlApi(controls: Readonly<Record<string, Control<unknown>>>): RestApi {
  return {
    protocol: 'rest',
    signingName: 'mainstay-control',
    errors: 'json',
    operationOf: ({ rawPath }) => nameOf(rawPath),
    handle: (request) => handle(controls, request),
  };
}

function nameOf(rawPath: string): string {
  return rawPath.replace('/_mainstay/control/', '');
}

async function handle(
  controls: Readonly<Record<string, Control<unknown>>>,
  request: RestRequest,
): Promise<RestResponse> {
  request.authorize([{ action: 'mainstay:Control', resource: '*' }]);
  const found = request.method === 'POST' ? controls[nameOf(request.rawPath)] : undefined;
  if (found === undefined) {
    throw new AwsError(
      'ResourceNotFoundException',
      `${request.method} ${request.rawPath} is not a control`,
      404,
    );
  }
  const text = (await request.buffer(64 * 1024)).toString();
  const parsed = found.input.safeParse(text === '' ? {} : parseJson(text));
  if (!parsed.success) throw new AwsError('ValidationException', z.prettifyError(parsed.error));
  const result = await found.run(parsed.data);
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(result ?? {}) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AwsError('ValidationException', 'the body is not JSON');
  }
}
