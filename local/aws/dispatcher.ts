import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authorizer } from '../iam/authorizer.ts';
import { sendAnswer } from './answer.ts';
import type { AwsApi, JsonApi, QueryApi, RestApi, RestResponse } from './api.ts';
import { decodeContent } from './content-encoding.ts';
import type { CredentialStore } from './credentials.ts';
import { type Dialect, dialectOf, dialectOfRequest, translateError } from './dialect.ts';
import { Disconnect, type Faults } from './faults.ts';
import { readJsonInput, writeJson } from './json-protocol.ts';
import type { Operation, OperationContext, Principal } from './operation.ts';
import { Payload } from './payload.ts';
import { readQueryInput, writeQueryResult } from './query-protocol.ts';
import { notEmulated, operationOf, Registry } from './registry.ts';
import { restRequest } from './rest-request.ts';
import { readSignature, type SignatureClaim, SignatureError, verifySignature } from './sigv4.ts';

/** Largest body of a JSON or query request, and of one whose payload hash has to be computed first. */
const maximumBody = 16 * 1024 * 1024;

export interface DispatcherOptions {
  credentials: CredentialStore;
  authorizer: Authorizer;
  faults: Faults;
  region: string;
  accountId: string;
  log: (line: string) => void;
}

/** A request on its way through the endpoint. */
interface Exchange {
  request: IncomingMessage;
  requestId: string;
  signal: AbortSignal;
  claim: SignatureClaim | undefined;
  payload: Payload;
  buffered: Buffer | undefined;
  context: OperationContext;
}

/** Takes requests from their signature to the operation and back to an answer in the client's protocol. */
export class Dispatcher {
  readonly #registry = new Registry();
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  register(api: AwsApi): void {
    this.#registry.add(api);
  }

  /** Calls an operation in-process. Throws what the service's clients would see, as `AwsError`. */
  async call(
    principal: Principal,
    service: string,
    name: string,
    input: Record<string, unknown>,
  ): Promise<unknown> {
    const { api, operation } = this.#registry.operation(service, name);
    try {
      await this.#options.faults.strike({ service, operation: name, caller: principal.arn });
      return await this.#run(operation, input, this.#context(principal, randomUUID()));
    } catch (error) {
      if (error instanceof Disconnect) throw error;
      throw this.#translate(error, dialectOf(api), `${service}:${name}`);
    }
  }

  /** Answers an HTTP request; never rejects. `expectsContinue`: the client waits for `100 Continue`. */
  async handle(request: IncomingMessage, response: ServerResponse, expectsContinue = false): Promise<void> {
    const requestId = randomUUID();
    const abort = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) abort.abort();
    });
    response.on('error', () => undefined);
    response.setHeader('x-amzn-requestid', requestId);
    response.setHeader('x-amz-request-id', requestId);
    let waiting = expectsContinue;
    const onStart = () => {
      if (waiting) response.writeContinue();
      waiting = false;
    };
    try {
      const answer = await this.#answer(request, requestId, abort.signal, onStart);
      if (answer === undefined) {
        request.socket.destroy();
        return;
      }
      // Whether the client sends a body it was not asked for cannot be known.
      if (waiting && !response.headersSent) response.setHeader('connection', 'close');
      await sendAnswer(request, response, answer);
    } catch (error) {
      this.#options.log(`${describe(request)} could not be answered: ${error}`);
      response.destroy();
    }
  }

  /** `undefined` means to close the connection without an answer. */
  async #answer(
    request: IncomingMessage,
    requestId: string,
    signal: AbortSignal,
    onStart: () => void,
  ): Promise<RestResponse | undefined> {
    let dialect = dialectOfRequest(request.headers);
    let described = describe(request);
    try {
      const claim = readSignature(signedParts(request));
      dialect = dialectOfRequest(request.headers, claim?.scope.service);
      const payload = new Payload(request, { payloadHash: claim?.payloadHash, onStart });
      const unnamed = claim !== undefined && claim.payloadHash === undefined;
      const buffered = unnamed || isForm(request) ? await payload.buffer(maximumBody) : undefined;
      if (isForm(request))
        described = new URLSearchParams(buffered?.toString('utf8')).get('Action') ?? described;
      const principal = this.#authenticate(request, claim, buffered);
      const api = this.#findApi(request, claim, described);
      dialect = dialectOf(api);
      described = `${api.signingName}:${described}`;
      const context = this.#context(principal, requestId, claim?.scope);
      const exchange = { request, requestId, signal, claim, payload, buffered, context };
      if (api.protocol === 'json') return await this.#json(api, exchange);
      if (api.protocol === 'query') return await this.#query(api, exchange);
      return await this.#rest(api, exchange);
    } catch (error) {
      if (error instanceof Disconnect || signal.aborted || request.socket.destroyed) return undefined;
      return dialect.write(this.#translate(error, dialect, described), requestId);
    }
  }

  #authenticate(request: IncomingMessage, claim: SignatureClaim | undefined, buffered?: Buffer): Principal {
    if (!claim) return { kind: 'anonymous', arn: 'anonymous' };
    const hash = buffered && createHash('sha256').update(buffered).digest('hex');
    const { principal, scope } = verifySignature(
      signedParts(request),
      claim,
      this.#options.credentials,
      hash,
    );
    if (
      scope.region !== this.#options.region &&
      scope.service !== 'mainstay' &&
      !this.#registry.answersIn(scope.region, scope.service)
    ) {
      throw new SignatureError(
        'mismatch',
        `The request is signed for ${scope.region}; the local runtime is in ${this.#options.region}`,
      );
    }
    return principal;
  }

  #findApi(request: IncomingMessage, claim: SignatureClaim | undefined, described: string): AwsApi {
    if (claim) return this.#registry.find(claim.scope.service, request.headers, described);
    const rest = request.headers['x-amz-target'] === undefined && request.method !== 'POST';
    const api = rest ? this.#registry.anonymous() : undefined;
    if (!api) throw new SignatureError('missing', 'Request is missing Authentication Token');
    return api;
  }

  async #json(api: JsonApi, exchange: Exchange): Promise<RestResponse> {
    const name = describe(exchange.request);
    const body = exchange.buffered ?? (await exchange.payload.buffer(maximumBody));
    await this.#strike(api, name, exchange);
    const operation = operationOf(api, name);
    if (!operation) throw notEmulated(api.signingName, name);
    const input = readJsonInput(decodeContent(exchange.request, body, maximumBody));
    const result = await this.#run(operation, input, exchange.context);
    const contentType = `application/x-amz-json-${api.jsonVersion ?? '1.1'}`;
    return { status: 200, headers: { 'content-type': contentType }, body: writeJson(result) };
  }

  async #query(api: QueryApi, exchange: Exchange): Promise<RestResponse> {
    const form = new URLSearchParams(exchange.buffered?.toString('utf8'));
    const name = form.get('Action') ?? '';
    await this.#strike(api, name, exchange);
    const operation = Object.hasOwn(api.operations, name) ? api.operations[name] : undefined;
    if (!operation) throw notEmulated(api.signingName, name);
    const result = await this.#run(operation, readQueryInput(form, operation), exchange.context);
    const xml = writeQueryResult(name, operation, result, api.xmlNamespace, exchange.requestId);
    return { status: 200, headers: { 'content-type': 'text/xml' }, body: xml };
  }

  async #rest(api: RestApi, exchange: Exchange): Promise<RestResponse> {
    const presigned = exchange.claim?.kind === 'presigned';
    const request = restRequest({ ...exchange, presigned, authorizer: this.#options.authorizer });
    await this.#strike(api, api.operationOf(request), exchange);
    return api.handle(request);
  }

  #strike({ signingName }: AwsApi, operation: string, { context, signal }: Exchange): Promise<void> {
    const caller = context.principal.arn;
    return this.#options.faults.strike({ service: signingName, operation, caller, signal });
  }

  async #run(
    operation: Operation,
    input: Record<string, unknown>,
    context: OperationContext,
  ): Promise<unknown> {
    for (const authorization of await operation.authorize(input, context)) {
      const requested = { 'aws:RequestedRegion': context.region, ...authorization.context };
      this.#options.authorizer.check(context.principal, { ...authorization, context: requested });
    }
    return operation.run(input, context);
  }

  #context(
    principal: Principal,
    requestId: string,
    scope?: { region: string; service: string },
  ): OperationContext {
    const { region: own, accountId } = this.#options;
    const elsewhere = scope !== undefined && this.#registry.answersIn(scope.region, scope.service);
    return { principal, requestId, region: elsewhere ? scope.region : own, accountId };
  }

  #translate(error: unknown, dialect: Dialect, described: string) {
    const translated = translateError(error, dialect);
    if (translated.code === 'InternalFailure') {
      this.#options.log(`${described} failed: ${error instanceof Error ? error.stack : error}`);
    }
    return translated;
  }
}

function signedParts(request: IncomingMessage) {
  return { method: request.method ?? 'GET', url: request.url ?? '/', rawHeaders: request.rawHeaders };
}

function isForm(request: IncomingMessage): boolean {
  return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
}

/** The operation a JSON request names, else method and path. */
function describe(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') return target.split('.').at(-1) ?? target;
  return `${request.method} ${request.url?.split('?', 1)[0]}`;
}
