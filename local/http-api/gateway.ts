import type { IncomingMessage } from 'node:http';
import { isPreflight, preflightHeaders, responseHeaders } from './cors.ts';
import type { HttpApiDefinition, HttpApiRoute } from './definition.ts';
import { eventOf } from './event.ts';
import { type AccessLogContext, type ApiPlace, Exchange } from './exchange.ts';
import { declaresTooMuch, headIsTooLarge, readBody, targetOf } from './incoming.ts';
import { type InvokeIntegration, integrate } from './integration.ts';
import { type GatewayResponse, gatewayError } from './response.ts';
import { RouteTable, routePath } from './routing.ts';
import { TokenBucket } from './token-bucket.ts';

export interface GatewayOptions {
  region: string;
  accountId: string;
  invoke: InvokeIntegration;
  /** Host and port the API is served on. */
  address: () => { domainName: string; port: number };
}

/** A response and what an access log can say about it. */
export interface Handled {
  response: GatewayResponse;
  context: AccessLogContext;
}

/** One HTTP API: from a request to the event of a function, and from its result to a response. */
export class Gateway {
  readonly definition: HttpApiDefinition;
  readonly #options: GatewayOptions;
  readonly #stage: string;
  readonly #table: RouteTable;
  readonly #routes: ReadonlyMap<string, HttpApiRoute>;
  readonly #buckets = new Map<string, TokenBucket>();

  /** @throws for a route key that API Gateway would not take. */
  constructor(definition: HttpApiDefinition, options: GatewayOptions) {
    this.definition = definition;
    this.#options = options;
    this.#stage = definition.stage ?? '$default';
    this.#table = new RouteTable(definition.routes.map(({ routeKey }) => routeKey));
    this.#routes = new Map(definition.routes.map((route) => [route.routeKey, route]));
    for (const { routeKey, throttle = definition.throttle } of definition.routes) {
      if (throttle !== undefined) this.#buckets.set(routeKey, new TokenBucket(throttle));
    }
  }

  /**
   * Handles one request.
   *
   * @param askForBody called before the body is read.
   * @throws when the client goes away before it has sent the whole body.
   */
  async handle(request: IncomingMessage, askForBody: () => void): Promise<Handled> {
    const exchange = new Exchange(request, this.#place);
    const answer = await this.#answer(exchange, askForBody);
    const { cors } = this.definition;
    const headers: Record<string, string> = { ...answer.headers, 'apigw-requestid': exchange.requestId };
    const isPlain = cors === undefined || isPreflight(exchange.method, request.headers);
    const response = {
      ...answer,
      headers: isPlain ? headers : responseHeaders(cors, request.headers.origin, headers),
    };
    return { response, context: exchange.context(response) };
  }

  async #answer(exchange: Exchange, askForBody: () => void): Promise<GatewayResponse> {
    const { request, method } = exchange;
    if (headIsTooLarge(request)) return gatewayError(431, 'Request Header Fields Too Large');
    const target = targetOf(request);
    if (target === undefined) return gatewayError(400, 'Bad Request');
    const { cors, stageVariables } = this.definition;
    if (cors !== undefined && isPreflight(method, request.headers)) {
      const headers = preflightHeaders(cors, request.headers.origin);
      return { statusCode: 204, headers, cookies: [], body: Buffer.alloc(0) };
    }
    const path = this.#pathInStage(target.rawPath);
    const match = path === undefined ? undefined : this.#table.match(method, path);
    const route = match && this.#routes.get(match.routeKey);
    if (match === undefined || route === undefined) return gatewayError(404, 'Not Found');
    exchange.routeKey = match.routeKey;
    if (this.#buckets.get(match.routeKey)?.take() === false) return gatewayError(429, 'Too Many Requests');
    if (declaresTooMuch(request)) return gatewayError(413, 'Request Entity Too Large');
    askForBody();
    const body = await readBody(request);
    if (body === 'too large') return gatewayError(413, 'Request Entity Too Large');
    exchange.bodyBytes = body.length;
    const event = eventOf(exchange, { ...target, body, match, stageVariables });
    const call = { sourceArn: this.#sourceArn(match.routeKey), traceHeader: exchange.traceHeader };
    exchange.integrated = await integrate(route, () => this.#options.invoke(route.functionArn, event, call));
    return exchange.integrated.response;
  }

  get #place(): ApiPlace {
    const { accountId, address } = this.#options;
    return { accountId, apiId: this.definition.apiId, stage: this.#stage, ...address() };
  }

  /** The path below the stage; undefined when it lies elsewhere. */
  #pathInStage(rawPath: string): string | undefined {
    if (this.#stage === '$default') return rawPath;
    const prefix = `/${this.#stage}`;
    if (rawPath === prefix) return '/';
    return rawPath.startsWith(`${prefix}/`) ? rawPath.slice(prefix.length) : undefined;
  }

  #sourceArn(routeKey: string): string {
    const { region, accountId } = this.#options;
    const path = routePath(routeKey);
    const method = routeKey.split(' ', 1)[0]?.replace(/^ANY$/, '*');
    const resource = path === undefined ? routeKey : `${method}${path}`;
    return `arn:aws:execute-api:${region}:${accountId}:${this.definition.apiId}/${this.#stage}/${resource}`;
  }
}
