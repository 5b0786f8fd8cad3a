import { lookup } from 'node:dns/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { type CacheObservation, observe } from './cache-status.ts';
import { EdgeRequestError } from './edge-request-error.ts';
import type { ProviderKind } from './provider.ts';

export interface EdgeRequest {
  /** Host name that is asked for; in `Host` and SNI. */
  readonly domain: string;
  /** Normalised, with its query string. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `host[:port]` to connect to in place of the domain's own: one edge location. */
  readonly address?: string | undefined;
}

export interface EdgeAnswer extends CacheObservation {
  readonly status: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** The header, of an answer that wants fewer requests. */
  readonly retryAfter: string | undefined;
  /** Where it was asked: for asking the same edge again. */
  readonly address: string;
}

export interface EdgeClientOptions {
  readonly kind: ProviderKind;
  /** Where the deployment's own domain is reached: `https://domain`, or an address. Other domains are reached by their names. */
  readonly edgeUrl: string;
  readonly domain: string;
  /** Milliseconds until the whole answer has to be there. Default 60 000. */
  readonly totalMs?: number;
  /** An answer that is larger is given up. Default 1 GiB. */
  readonly maximumBytes?: number;
}

interface Place {
  readonly host: string;
  readonly port: number;
}
type Fail = (code: EdgeRequestError['code'], message: string) => void;

const connectMs = 5_000;
/** How long an address is believed, in milliseconds. */
const resolvedMs = 10_000;
const mostNames = 100;
const agentOptions = { keepAlive: true, maxSockets: 20, maxFreeSockets: 20 };

/**
 * Asks the edge for content as a viewer does, reads all of it, and keeps none. Redirects are not followed: nothing is asked but hosts
 * that the caller names, at the addresses of the edge.
 */
export class EdgeClient {
  readonly #options: EdgeClientOptions;
  readonly #url: URL;
  readonly #agent: HttpAgent;
  readonly #resolved = new Map<string, { address: Promise<string>; until: number }>();

  constructor(options: EdgeClientOptions) {
    this.#options = options;
    this.#url = new URL(options.edgeUrl);
    this.#agent = this.#secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  }

  /** @throws EdgeRequestError when there is no whole answer. */
  async get(request: EdgeRequest): Promise<EdgeAnswer> {
    const place = await this.#placeOf(request);
    const answer = await this.#send(request, place);
    // The edge had closed a connection that was kept: nothing was answered, and a new one is opened.
    return (
      answer ??
      (await this.#send(request, place)) ??
      failed('connection-failed', 'The connection was closed.')
    );
  }

  /** @returns nothing when a connection that was kept turned out to be closed. */
  async #send(request: EdgeRequest, place: Place): Promise<EdgeAnswer | undefined> {
    const { totalMs = 60_000 } = this.#options;
    const started = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<EdgeAnswer | undefined>();
    const fail: Fail = (code, message) => reject(new EdgeRequestError(code, message));
    const sent = (this.#secure ? httpsRequest : httpRequest)(this.#requestOptions(request, place));
    const timers = [
      setTimeout(() => fail('timeout', 'There was no whole answer in time.'), totalMs),
      setTimeout(() => {
        if (sent.socket?.connecting !== false) fail('timeout', 'The connection was not established in time.');
      }, connectMs),
    ];
    sent.on('error', (error) => {
      if (sent.reusedSocket && codeOf(error) === 'ECONNRESET') resolve(undefined);
      else fail('connection-failed', `The connection failed: ${codeOf(error)}.`);
    });
    sent.on('response', (response) => {
      this.#read(response, fail).then((bytes) => {
        const header = (name: string) => headerOf(response, name);
        const host = isIP(place.host) === 6 ? `[${place.host}]` : place.host;
        resolve({
          ...observe(this.#options.kind, header),
          status: response.statusCode ?? 0,
          bytes,
          durationMs: Math.round(performance.now() - started),
          retryAfter: header('retry-after'),
          address: `${host}:${place.port}`,
        });
      }, reject);
    });
    sent.end();
    try {
      return await promise;
    } catch (error) {
      sent.destroy();
      throw error;
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }

  async #read(response: IncomingMessage, fail: Fail): Promise<number> {
    const { maximumBytes = 2 ** 30 } = this.#options;
    let bytes = 0;
    try {
      for await (const chunk of response) {
        bytes += chunk.length;
        if (bytes > maximumBytes) fail('too-large', `The answer has more than ${maximumBytes} bytes.`);
      }
    } catch {
      throw new EdgeRequestError('connection-failed', 'The connection ended within the answer.');
    }
    return bytes;
  }

  get #secure(): boolean {
    return this.#url.protocol === 'https:';
  }

  /** The address to connect to: asked again there, it is the same edge that answers. */
  async #placeOf({ domain, address }: EdgeRequest): Promise<Place> {
    const own = domain === this.#options.domain ? this.#url.host : domain;
    const url = new URL(`${this.#url.protocol}//${address ?? own}`);
    const name = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || (this.#secure ? 443 : 80));
    return { host: isIP(name) === 0 ? await this.#resolve(name) : name, port };
  }

  async #resolve(name: string): Promise<string> {
    const now = performance.now();
    const known = this.#resolved.get(name);
    if (known !== undefined && now < known.until) return known.address;
    if (this.#resolved.size >= mostNames) this.#resolved.clear();
    const address = lookup(name).then(
      (found) => found.address,
      () => {
        this.#resolved.delete(name);
        return failed('name-not-resolved', `The name ${name} has no address.`);
      },
    );
    this.#resolved.set(name, { address, until: now + resolvedMs });
    return address;
  }

  #requestOptions({ domain, path, headers }: EdgeRequest, { host, port }: Place): RequestOptions {
    const { hostname } = new URL(`https://${domain}`);
    return {
      method: 'GET',
      ...{ host, port, path, agent: this.#agent },
      headers: { 'user-agent': 'mainstay', ...headers, host: domain },
      // The certificate has to be the domain's, wherever the connection leads.
      ...(isIP(hostname) === 0 && { servername: hostname }),
      minVersion: 'TLSv1.2',
    };
  }
}

function failed(code: EdgeRequestError['code'], message: string): never {
  throw new EdgeRequestError(code, message);
}

function headerOf(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
