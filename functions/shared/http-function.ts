import middy from '@middy/core';
import httpSecurityHeaders from '@middy/http-security-headers';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type * as z from 'zod';
import {
  type CapabilityContract,
  type FunctionContract,
  type Protocol,
  type RouteContract,
  routesOf,
} from './contract.ts';
import { type EnvironmentSource, readEnvironment } from './environment.ts';
import type { Call, Gate } from './gate.ts';
import type { Caller, HttpHandlers, HttpRequest, InvocationContext } from './http-handler.ts';
import { answerProblems, type FindWriter, problemDetails } from './http-problems.ts';
import { describeRequest, type ParsedRequest, parseRequest } from './http-request.ts';
import {
  type ErrorWriter,
  type HttpAnswer,
  type HttpLambdaResult,
  securityHeaders,
  toLambdaResult,
} from './http-response.ts';
import { newId } from './ids.ts';
import { annotate, instrumentation, invocationOf } from './instrumentation.ts';
import { Problem } from './problem.ts';
import { promisedHeaders, promiseHeaders } from './promised-headers.ts';
import { requestMetrics } from './request-metrics.ts';
import { tellInvocation } from './tell-invocation.ts';

export interface HttpFunctionOptions<C extends CapabilityContract, E extends z.ZodObject, F extends string> {
  readonly contract: C;
  /** Which of the contract's functions this is. */
  readonly functionContract: FunctionContract & { readonly environment: E };
  /**
   * Makes one handler for each route; called once, at cold start, with the function's environment. Give it the
   * return type `HttpHandlers<typeof theContract>`: TypeScript does not infer the handlers' literals without.
   */
  readonly handlers: (environment: z.output<E>) => HttpHandlers<C, F>;
  /** Lets requests in: `gate` of the access capability, or `openGate` where every route is open. */
  readonly gate: (source: EnvironmentSource) => Gate;
  /** Answers requests that no route matches; without it they are answered 404. */
  readonly fallback?: (request: HttpRequest, environment: z.output<E>) => HttpAnswer | Promise<HttpAnswer>;
  /** How the protocols of its routes write errors. */
  readonly errors?: { readonly [P in Protocol]?: ErrorWriter };
  /** The function's name in the contract, where that is not `api`. */
  readonly name?: F;
  /** Default: the process's environment variables. */
  readonly environment?: EnvironmentSource;
}

export type HttpLambda = (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpLambdaResult>;

interface ErasedInput extends InvocationContext, ParsedRequest {
  readonly caller: Caller | undefined;
  readonly request: HttpRequest;
  readonly workId: string;
}

/** A handler with its input; without a work id it takes a new one. */
type Handle = (workId?: string) => Promise<HttpAnswer>;

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
export function httpFunction<
  const C extends CapabilityContract,
  E extends z.ZodObject,
  const F extends string = 'api',
>(options: HttpFunctionOptions<C, E, F>): HttpLambda {
  const { contract, fallback, environment: source = process.env } = options;
  const environment = readEnvironment(options.functionContract.environment, source);
  const routes = bindRoutes(routesOf(contract, options.name ?? 'api'), options.handlers(environment));
  const findWriter = writersOf(routes, options.errors ?? {});
  const gate = options.gate(source);

  const dispatch = async (event: APIGatewayProxyEventV2, context: Context): Promise<HttpLambdaResult> => {
    annotate(context, { route: event.routeKey });
    const request = describeRequest(event);
    const { trace, log, metrics, remainingMs } = invocationOf(context);
    const invocation: InvocationContext = { trace, log, metrics, remainingMs };
    const route = routes.get(event.routeKey);
    const arrival = { ...invocation, request, route: route?.contract ?? nowhere };
    const { caller, headers } = await gate.admit(arrival);
    promiseHeaders(context, headers);
    if (caller !== undefined) {
      annotate(context, {
        keyId: caller.keyId,
        ...(caller.tenant === undefined ? {} : { tenant: caller.tenant }),
      });
    }
    if (route === undefined) {
      if (fallback === undefined) throw new Problem('not-found', 'There is nothing at this path.');
      return toLambdaResult(await fallback(request, environment));
    }
    const input = parseRequest(route.contract, event, request);
    const handle: Handle = async (workId = newId()) =>
      route.handle({ ...invocation, ...input, caller, request, workId });
    const answer = await answerCall(gate, { ...arrival, caller, input }, handle);
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
    .use(tellInvocation())
    .use(httpSecurityHeaders(securityHeaders))
    .use(promisedHeaders())
    .use(problemDetails(findWriter))
    .handler(answerProblems(dispatch, findWriter));
}

/** Stands for the route of a request that no route matches: whoever knocks at many doors is counted as well. */
const nowhere: RouteContract = {
  method: 'GET',
  path: '/{anything+}',
  scope: 'open',
  summary: 'No route',
  responses: {},
};

/** Runs the handler, once where the request says so; what changes something is recorded, whatever became of it. */
async function answerCall(gate: Gate, call: Call, handle: Handle): Promise<HttpAnswer> {
  const { route, request } = call;
  if (route.method === 'GET' || route.unaudited === true) return handle();
  const recorded: Handle = async (workId) => {
    try {
      const answer = await handle(workId);
      const location = answer.headers?.location;
      await gate.record(call, { status: answer.status, ...(location === undefined ? {} : { location }) });
      return answer;
    } catch (error) {
      await gate.record(call, { status: error instanceof Problem ? error.status : 500 });
      throw error;
    }
  };
  const repeatable = route.once !== undefined && request.headers['idempotency-key'] !== undefined;
  return repeatable ? gate.once(call, recorded) : recorded();
}

function bindRoutes(
  contracts: readonly [string, RouteContract][],
  handlers: Readonly<Record<string, Route['handle']>>,
): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const [name, route] of contracts) {
    const handle = handlers[name];
    if (handle === undefined) throw new Error(`The route ${name} has no handler`);
    routes.set(`${route.method} ${route.path}`, { contract: route, handle });
  }
  return routes;
}

/** How each route writes errors, by its key. */
function writersOf(
  routes: ReadonlyMap<string, Route>,
  writers: { readonly [P in Protocol]?: ErrorWriter },
): FindWriter {
  for (const { protocol } of [...routes.values()].map(({ contract }) => contract)) {
    if (protocol !== undefined && writers[protocol] === undefined) {
      throw new Error(`Nothing says how ${protocol} writes errors`);
    }
  }
  return (routeKey) => {
    const protocol = routes.get(routeKey)?.contract.protocol;
    return protocol && writers[protocol];
  };
}
