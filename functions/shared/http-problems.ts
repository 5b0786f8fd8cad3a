import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { type HttpLambdaResult, problemResult } from './http-response.ts';
import { invocationOf } from './instrumentation.ts';
import { Problem } from './problem.ts';
import { redactError } from './redact.ts';

type Dispatch = (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpLambdaResult>;

/**
 * Answers what a caller did wrong (4xx) as problem details. It is an ordinary outcome: neither the log nor the
 * trace records it as an error of this function.
 */
export function answerProblems(dispatch: Dispatch): Dispatch {
  return async (event, context) => {
    try {
      return await dispatch(event, context);
    } catch (error) {
      if (error instanceof Problem && error.status < 500) return toProblem(error, event, context);
      throw error;
    }
  };
}

/** Answers everything else that is thrown as problem details, and logs it once, with its stack. */
export function problemDetails(): MiddlewareObj<APIGatewayProxyEventV2, HttpLambdaResult> {
  return {
    onError: (request) => {
      const { error, event, context } = request;
      redactError(error);
      invocationOf(context).log.error('The request failed', { error: error ?? 'unknown' });
      request.response = toProblem(error, event, context);
    },
  };
}

function toProblem(error: unknown, event: APIGatewayProxyEventV2, context: Context): HttpLambdaResult {
  const { traceId } = invocationOf(context).trace;
  return problemResult(error, { instance: event.rawPath, traceId });
}
