import middy from '@middy/core';
import httpSecurityHeaders from '@middy/http-security-headers';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { z } from 'zod';
import type { CapabilityContract, FunctionContract, RouteContract } from './contract.ts';
import { type EnvironmentSource, readEnvironment } from './environment.ts';
import type { Caller, HttpHandlers, HttpRequest, InvocationContext } from './http-handler.ts';
import { answerProblems, problemDetails } from './http-problems.ts';
import { describeRequest, type ParsedRequest, parseRequest } from './http-request.ts';
import { type HttpAnswer, type HttpLambdaResult, securityHeaders, toLambdaResult } from './http-response.ts';
import { annotate, instrumentation, invocationOf } from './instrumentation.ts';
import { Problem } from './problem.ts';
import { requestMetrics } from './request-metrics.ts';

/**
 * Finds out who makes a request, and whether they may use a route that needs `scope`.
 *
 * @throws Problem 401, 403, or 503 when that cannot be found out.
 */
export type Authenticate = (
  request: HttpRequest,
  scope: Exclude<RouteContract['scope'], 'open'>,
) => Promise<Caller>;

export interface HttpFunctionOptions<C extends CapabilityContract, E extends z.ZodObject> {
  readonly contract: C;
  /** Which of the contract's functions this is. */
  readonly functionContract: FunctionContract & { readonly environment: E };
  /**
   * Makes one handler for each route; called once, at cold start, with the function's environment. Give it the
   * return type `HttpHandlers<typeof theContract>`: TypeScript does not infer the handlers' literals without.
   */
  readonly handlers: (environment: z.output<E>) => HttpHandlers<C>;
  /** Required as soon as one route is not open: `apiKeys` of the access capability. */
  readonly authenticate?: (source: EnvironmentSource) => Authenticate;
  /** Answers requests that no route matches; without it they are answered 404. */
  readonly fallback?: (request: HttpRequest, environment: z.output<E>) => HttpAnswer | Promise<HttpAnswer>;
  /** Default: the process's environment variables. */
  readonly environment?: EnvironmentSource;
}

export type HttpLambda = (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpLambdaResult>;

interface ErasedInput extends InvocationContext, ParsedRequest {
  readonly caller: Caller | undefined;
  readonly request: HttpRequest;
}

/** A route whose parsed input has lost its static type: `parseRequest` has checked it against the contract. */
interface Route {
  readonly contract: RouteContract;
  handle(input: ErasedInput): HttpAnswer | Promise<HttpAnswer>;
}

/** Time kept back to answer before Lambda ends an invocation that takes too long. */
const answerMs = 250;

/**
 * The Lambda handler of a capability's API: instrumentation, security headers, problem details, routing by API
 * Gateway's route key, authentication and scope, parsing against the contract, and the handler's answer.
 *
 * @throws Error at cold start, when the environment or the options do not fit the contract.
 */
export function httpFunction<const C extends CapabilityContract, E extends z.ZodObject>(
  options: HttpFunctionOptions<C, E>,
): HttpLambda {
  const { contract, fallback, environment: source = process.env } = options;
  const environment = readEnvironment(options.functionContract.environment, source);
  const routes = bindRoutes(contract, options.handlers(environment));
  const authenticate = options.authenticate?.(source);
  const closed = Object.entries(contract.routes).find(([, route]) => route.scope !== 'open');
  if (closed !== undefined && authenticate === undefined) {
    throw new Error(`The route ${closed[0]} is not open, but nothing authenticates its callers`);
  }

  const dispatch = async (event: APIGatewayProxyEventV2, context: Context): Promise<HttpLambdaResult> => {
    annotate(context, { route: event.routeKey });
    const request = describeRequest(event);
    const route = routes.get(event.routeKey);
    if (route === undefined) {
      if (fallback === undefined) throw new Problem('not-found', 'There is nothing at this path.');
      return toLambdaResult(await fallback(request, environment));
    }
    const { scope } = route.contract;
    const caller = scope === 'open' ? undefined : await authenticate?.(request, scope);
    if (caller !== undefined) {
      annotate(context, {
        keyId: caller.keyId,
        ...(caller.tenant === undefined ? {} : { tenant: caller.tenant }),
      });
    }
    const parsed = parseRequest(route.contract, event, request);
    const { trace, log, metrics, remainingMs } = invocationOf(context);
    const answer = await route.handle({ trace, log, metrics, remainingMs, ...parsed, caller, request });
    return toLambdaResult(answer, route.contract.responses[answer.status]?.contentType);
  };

  return middy<APIGatewayProxyEventV2, HttpLambdaResult>({
    timeoutEarlyInMillis: answerMs,
    timeoutEarlyResponse: () => {
      throw new Problem('not-available', 'The request took too long.', { headers: { 'retry-after': '5' } });
    },
  })
    .use(requestMetrics())
    .use(instrumentation<APIGatewayProxyEventV2>((event) => event.headers?.traceparent))
    .use(httpSecurityHeaders(securityHeaders))
    .use(problemDetails())
    .handler(answerProblems(dispatch));
}

function bindRoutes<C extends CapabilityContract>(
  contract: C,
  handlers: HttpHandlers<C>,
): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const [name, route] of Object.entries(contract.routes)) {
    const handle = handlers[name];
    if (handle === undefined) throw new Error(`The route ${name} has no handler`);
    routes.set(`${route.method} ${route.path}`, { contract: route, handle });
  }
  return routes;
}
