import * as z from 'zod';
import type { Principal } from '../aws/operation.ts';
import type { ReadObject } from './item-reader.ts';
import { type Json, parseJson } from './json.ts';
import type { TaskTargets } from './tasks.ts';

/** Calls an operation of the emulated AWS in-process, as `AwsEndpoint.call` does. */
export type CallAws = (
  principal: Principal,
  signingName: string,
  operation: string,
  input: Record<string, unknown>,
) => Promise<unknown>;

const invoked = z.object({
  StatusCode: z.number(),
  ExecutedVersion: z.string().optional(),
  Payload: z.string().optional(),
  FunctionError: z.string().optional(),
});
const object = z.object({ Body: z.instanceof(Uint8Array) });

/** Everything that workflows call, by one way into the emulated AWS, so that IAM checks each call. */
export function targetsOver(
  call: CallAws,
): Pick<TaskTargets, 'callAws' | 'invokeLambda'> & { readObject: ReadObject } {
  return {
    callAws: (principal, service, operation, input) => call(principal, service, operation, asRecord(input)),
    async invokeLambda({ principal, functionArn, payload, invocationType }) {
      const answer = invoked.parse(
        await call(principal, 'lambda', 'Invoke', {
          FunctionName: functionArn,
          InvocationType: invocationType,
          Payload: JSON.stringify(payload),
        }),
      );
      return {
        statusCode: answer.StatusCode,
        ...(answer.Payload ? { payload: parsePayload(answer.Payload) } : {}),
        ...(answer.FunctionError === undefined ? {} : { functionError: answer.FunctionError }),
        ...(answer.ExecutedVersion === undefined ? {} : { executedVersion: answer.ExecutedVersion }),
      };
    },
    async readObject(principal, { bucket, key }) {
      const answer = await call(principal, 's3', 'GetObject', { Bucket: bucket, Key: key });
      return object.parse(answer).Body;
    },
  };
}

/** Payloads are JSON, but what a broken function leaves behind need not be. */
function parsePayload(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function asRecord(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null ? { ...input } : {};
}
