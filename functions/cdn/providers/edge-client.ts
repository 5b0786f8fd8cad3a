import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
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
  /** Where the edge is reached, by any of its domains: `https://domain`, or an address of its own. */
  readonly edgeUrl: string;
  /** The deployment's domain; other domains are reached by their own names unless `edgeUrl` is another address. */
  readonly domain: string;
  /** Milliseconds until the whole answer has to be there. Default 60 000. */
  readonly totalMs?: number;
  /** An answer that is larger is given up. Default 1 GiB. */
  readonly maximumBytes?: number;
}

const connectMs = 5_000;

/**
 * Asks the edge for content as a viewer does, reads all of it, and keeps none. Redirects are not followed: nothing is asked but hosts
 * that the caller names, at the addresses of the edge.
 */
export class EdgeClient {
  readonly #options: EdgeClientOptions;
  readonly #url: URL;

  constructor(options: EdgeClientOptions) {
    this.#options = options;
    this.#url = new URL(options.edgeUrl);
  }

  /** @throws EdgeRequestError when there is no whole answer. */
  async get(request: EdgeRequest): Promise<EdgeAnswer> {
    const { totalMs = 60_000 } = this.#options;
    const started = performance.now();
    const place = await this.#placeOf(request);
    const { promise, resolve, reject } = Promise.withResolvers<EdgeAnswer>();
    const secure = this.#url.protocol === 'https:';
    const sent = (secure ? httpsRequest : httpRequest)(this.#requestOptions(request, place));
    const fail = (code: 'timeout' | 'connection-failed' | 'too-large', message: string) =>
      reject(new EdgeRequestError(code, message));
    const timers = [
      setTimeout(() => fail('timeout', 'There was no whole answer in time.'), totalMs),
      setTimeout(() => {
        if (sent.socket?.connecting !== false) fail('timeout', 'The connection was not established in time.');
      }, connectMs),
    ];
    sent.on('error', (error) => fail('connection-failed', `The connection failed: ${codeOf(error)}.`));
    sent.on('response', (response) => {
      this.#read(response, fail).then((bytes) => {
        resolve({
          ...observe(this.#options.kind, (name) => headerOf(response, name)),
          status: response.statusCode ?? 0,
          bytes,
          durationMs: Math.round(performance.now() - started),
          retryAfter: headerOf(response, 'retry-after'),
          address: `${isIP(place.host) === 6 ? `[${place.host}]` : place.host}:${place.port}`,
        });
      }, reject);
    });
    sent.end();
    try {
      return await promise;
    } finally {
      for (const timer of timers) clearTimeout(timer);
      sent.destroy();
    }
  }

  async #read(
    response: IncomingMessage,
    fail: (code: 'too-large', message: string) => void,
  ): Promise<number> {
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

  /** The address to connect to, resolved now: asked again there, it is the same edge that answers. */
  async #placeOf({ domain, address }: EdgeRequest): Promise<{ host: string; port: number }> {
    const own = new URL(this.#options.edgeUrl).host !== this.#options.domain;
    const url = new URL(`${this.#url.protocol}//${address ?? (own ? this.#url.host : domain)}`);
    const name = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    if (isIP(name) !== 0) return { host: name, port };
    try {
      return { host: (await lookup(name)).address, port };
    } catch {
      throw new EdgeRequestError('name-not-resolved', `The name ${name} has no address.`);
    }
  }

  #requestOptions(
    { domain, path, headers }: EdgeRequest,
    place: { host: string; port: number },
  ): RequestOptions {
    const { hostname } = new URL(`https://${domain}`);
    const family = isIP(place.host) === 6 ? 6 : 4;
    const toPlace: LookupFunction = (_name, { all }, callback) => {
      if (all === true) callback(null, [{ address: place.host, family }]);
      else callback(null, place.host, family);
    };
    return {
      method: 'GET',
      host: hostname,
      port: place.port,
      path,
      headers: { 'user-agent': 'mainstay', ...headers, host: domain },
      agent: false,
      lookup: toPlace,
      servername: isIP(hostname) === 0 ? hostname : '',
      minVersion: 'TLSv1.2',
    };
  }
}

function headerOf(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
