import type { MiddlewareObj, Request } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { HttpLambdaResult } from './http-response.ts';

const promised = new WeakMap<Context, Readonly<Record<string, string>>>();

/** Notes headers that the answer to this invocation has, also when it is an error. */
export function promiseHeaders(context: Context, headers: Readonly<Record<string, string>>): void {
  promised.set(context, headers);
}

/** Adds the headers that were promised; those of the answer itself win. */
export function promisedHeaders(): MiddlewareObj<APIGatewayProxyEventV2, HttpLambdaResult> {
  const add = ({ context, response }: Request<APIGatewayProxyEventV2, HttpLambdaResult | null>) => {
    const headers = promised.get(context);
    if (headers !== undefined && response) response.headers = { ...headers, ...response.headers };
  };
  return { after: add, onError: add };
}
