import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import {
  type ErrorWriter,
  type HttpLambdaResult,
  problemOf,
  problemResult,
  toLambdaResult,
} from './http-response.ts';
import { invocationOf } from './instrumentation.ts';
import { Problem } from './problem.ts';
import { redactError } from './redact.ts';

type Dispatch = (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpLambdaResult>;

/** Finds how the route of a request writes its errors; `undefined` for problem details. */
export type FindWriter = (routeKey: string) => ErrorWriter | undefined;

/**
 * Answers what a caller did wrong (4xx) as problem details, or as the route's protocol has it. It is an ordinary outcome: neither the log nor the
 * trace records it as an error of this function.
 */
export function answerProblems(dispatch: Dispatch, findWriter: FindWriter): Dispatch {
  return async (event, context) => {
    try {
      return await dispatch(event, context);
    } catch (error) {
      if (error instanceof Problem && error.status < 500)
        return toProblem(error, { event, context, findWriter });
      throw error;
    }
  };
}

/** Answers everything else that is thrown in the same way, and logs it once, with its stack. */
export function problemDetails(
  findWriter: FindWriter,
): MiddlewareObj<APIGatewayProxyEventV2, HttpLambdaResult> {
  return {
    onError: (request) => {
      const { error, event, context } = request;
      redactError(error);
      invocationOf(context).log.error('The request failed', { error: error ?? 'unknown' });
      request.response = toProblem(error, { event, context, findWriter });
    },
  };
}

interface Place {
  readonly event: APIGatewayProxyEventV2;
  readonly context: Context;
  readonly findWriter: FindWriter;
}

function toProblem(error: unknown, { event, context, findWriter }: Place): HttpLambdaResult {
  const { traceId } = invocationOf(context).trace;
  const problem = problemOf(error);
  const write = findWriter(event.routeKey);
  if (write === undefined) return problemResult(problem, { instance: event.rawPath, traceId });
  const answer = write(problem, { traceId, contentType: event.headers?.['content-type'] });
  return toLambdaResult({ ...answer, headers: { ...answer.headers, ...problem.headers } });
}
