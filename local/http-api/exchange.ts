import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { commonLogTime } from './common-log-time.ts';
import { sourceIpOf } from './incoming.ts';
import type { Integrated } from './integration.ts';
import type { GatewayResponse } from './response.ts';

/** Where and whose an API is. */
export interface ApiPlace {
  accountId: string;
  apiId: string;
  stage: string;
  /** Host and port the API is served on. */
  domainName: string;
  port: number;
}

/** What `$context` variables of an access log are filled with. */
export type AccessLogContext = Readonly<Record<string, string | number | undefined>>;

/** One request on its way through the gateway, and what is learnt about it on the way. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly place: ApiPlace;
  readonly receivedAt = new Date();
  readonly requestId = randomBytes(11).toString('base64');
  readonly sourceIp: string;
  /** The client's `X-Amzn-Trace-Id` where it has one, else a new trace. */
  readonly traceHeader: string;
  routeKey: string | undefined;
  bodyBytes = 0;
  integrated: Integrated | undefined;

  constructor(request: IncomingMessage, place: ApiPlace) {
    this.request = request;
    this.place = place;
    this.sourceIp = sourceIpOf(request);
    this.traceHeader = traceHeaderOf(request);
  }

  get method(): string {
    return this.request.method ?? '';
  }

  /** What an access log can say, once there is a response. */
  context(response: GatewayResponse): AccessLogContext {
    const { place, request, integrated } = this;
    const reached = integrated?.requestId !== undefined;
    return {
      accountId: place.accountId,
      apiId: place.apiId,
      awsEndpointRequestId: integrated?.requestId,
      dataProcessed: this.bodyBytes + response.body.length,
      domainName: place.domainName,
      domainPrefix: place.apiId,
      'error.message': integrated?.problem,
      extendedRequestId: this.requestId,
      httpMethod: this.method,
      'identity.sourceIp': this.sourceIp,
      'identity.userAgent': request.headers['user-agent'],
      'integration.error': integrated?.problem,
      'integration.integrationStatus': reached ? response.statusCode : undefined,
      'integration.latency': integrated?.latencyMs,
      'integration.requestId': integrated?.requestId,
      'integration.status': reached ? 200 : undefined,
      integrationErrorMessage: integrated?.problem,
      integrationLatency: integrated?.latencyMs,
      integrationStatus: reached ? 200 : undefined,
      path: request.url?.split('?', 1)[0],
      protocol: `HTTP/${request.httpVersion}`,
      requestId: this.requestId,
      requestTime: commonLogTime(this.receivedAt),
      requestTimeEpoch: this.receivedAt.getTime(),
      responseLatency: Date.now() - this.receivedAt.getTime(),
      responseLength: response.body.length,
      routeKey: this.routeKey,
      stage: place.stage,
      status: response.statusCode,
    };
  }
}

function traceHeaderOf(request: IncomingMessage): string {
  const given = request.headers['x-amzn-trace-id'];
  if (typeof given === 'string' && /\bRoot=1-[0-9a-f]{8}-[0-9a-f]{24}\b/.test(given)) return given;
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')}`;
}
