import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { RotatingFile } from '../lambda/rotating-file.ts';
import type { Service } from '../service.ts';
import { answerSampling } from './sampling.ts';
import { parseDatagram, type Segment } from './segment.ts';
import { SegmentRing } from './segment-ring.ts';

export interface XrayDaemonOptions {
  /** Segments are appended to it, one line each; bounded. Default: none. */
  file?: string;
  /** Segments that are kept in memory; default 10 000. */
  maxSegments?: number;
  /** Bytes of segments that are kept in memory; default 16 MB. */
  maxBytes?: number;
}

const host = '127.0.0.1';
/** How often to look for a port that is free for both UDP and TCP. */
const portAttempts = 20;

/** The X-Ray daemon: takes segments over UDP, and answers for sampling over TCP on the same port. */
export class XrayDaemon implements Service {
  readonly name = 'xray';
  readonly #ring: SegmentRing;
  readonly #file: RotatingFile | undefined;
  readonly #listeners = new Set<(segment: Segment) => void>();
  #malformed = 0;
  #bound: { udp: Socket; tcp: Server; port: number } | undefined;

  constructor(options: XrayDaemonOptions = {}) {
    const { maxSegments = 10_000, maxBytes = 16 * 1024 * 1024, file } = options;
    this.#ring = new SegmentRing(maxSegments, maxBytes);
    this.#file = file === undefined ? undefined : new RotatingFile(file);
  }

  /** What `AWS_XRAY_DAEMON_ADDRESS` is to be set to. Throws before {@link start}. */
  get address(): string {
    if (this.#bound === undefined) throw new Error('The X-Ray daemon has not been started.');
    return `${host}:${this.#bound.port}`;
  }

  /** Datagrams that were no segments. */
  get malformed(): number {
    return this.#malformed;
  }

  /** Segments and subsegments of a trace that are still kept, in the order in which they came. */
  segments(traceId: string): Segment[] {
    return this.#ring.ofTrace(traceId);
  }

  /** Calls the listener with every segment from now on. Returns how to stop that. */
  onSegment(listener: (segment: Segment) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    const bound = await bind();
    // An error of one datagram is no reason to stop taking others.
    bound.udp.on('error', () => undefined);
    bound.udp.on('message', (datagram) => this.#take(datagram));
    bound.tcp.on('request', (request, response) => {
      answerSampling(request, response).catch(() => request.socket.destroy());
    });
    this.#bound = bound;
  }

  async stop(): Promise<void> {
    const bound = this.#bound;
    if (bound === undefined) return;
    this.#bound = undefined;
    const closed = Promise.all([once(bound.udp, 'close'), once(bound.tcp, 'close')]);
    bound.udp.close();
    bound.tcp.close();
    bound.tcp.closeAllConnections();
    await closed;
    this.#file?.close();
  }

  #take(datagram: Buffer): void {
    const segment = parseDatagram(datagram);
    if (segment === undefined) {
      this.#malformed += 1;
      return;
    }
    this.#ring.add(segment, datagram.length);
    this.#file?.append(`${JSON.stringify(segment)}\n`);
    for (const listener of this.#listeners) listener(segment);
  }
}

/** Finds a port that is free for UDP and TCP: SDKs are told one address for both. */
async function bind(): Promise<{ udp: Socket; tcp: Server; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const udp = createSocket('udp4');
    udp.bind(0, host);
    await once(udp, 'listening');
    const { port } = udp.address();
    const tcp = createServer();
    try {
      tcp.listen(port, host);
      await once(tcp, 'listening');
      return { udp, tcp, port };
    } catch (error) {
      udp.close();
      if (attempt === portAttempts) throw error;
    }
  }
}
