import { type Duplex, Transform, type TransformCallback } from 'node:stream';

/** How traffic through an endpoint fares. */
export type Condition =
  | { kind: 'open' }
  /** Nothing passes, as with a pulled cable; what was sent arrives when the traffic is restored. */
  | { kind: 'silent' }
  /** Connections are reset, new ones too, as when nothing listens. */
  | { kind: 'reset' }
  /** Everything arrives so much later, in both directions. */
  | { kind: 'delayed'; ms: number };

const open: Condition = { kind: 'open' };

/** Bytes that may be on their way in a delayed direction before its sender has to wait. */
const mostInFlight = 8 * 1024 * 1024;

/** The relayed connections of one endpoint, and the condition they are all in. */
export class Traffic {
  #condition = open;
  /** Conditions of some clients alone, by a text in their name. */
  readonly #ofClients = new Map<string, Condition>();
  readonly #relays = new Set<Relay>();
  readonly #waiting = new Set<() => void>();
  #destroyed = false;

  get condition(): Condition {
    return this.#condition;
  }

  /** Whether something else holds for some clients than for the others. */
  get distinguishes(): boolean {
    return this.#ofClients.size > 0;
  }

  get connections(): number {
    return this.#relays.size;
  }

  /**
   * Sets the condition.
   *
   * @param client of the clients whose `application_name` holds this text alone, before the condition of all; `open` lets them be
   *   like all again. Without it, that of all, and nobody's is a special one any more when it is `open`.
   */
  set(condition: Condition, client?: string): void {
    if (client === undefined) {
      this.#condition = condition;
      if (condition.kind === 'open') this.#ofClients.clear();
    } else if (condition.kind === 'open') this.#ofClients.delete(client);
    else this.#ofClients.set(client, condition);
    for (const relay of this.#relays) relay.apply(this.#conditionOf(relay.clientName));
    // Who still has to wait begins to wait anew.
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** What a new connection has to wait for before it gets an answer. */
  async admission(): Promise<void> {
    await this.#passed(() => this.#condition);
  }

  /**
   * What a client of that name has to wait for beyond that, once its name is known.
   *
   * @returns false when its connection is to be reset.
   */
  async admissionOf(clientName: string): Promise<boolean> {
    const special = () => (this.#isSpecial(clientName) ? this.#conditionOf(clientName) : open);
    await this.#passed(special);
    return special().kind !== 'reset';
  }

  /**
   * Relays between two streams until one of them ends.
   *
   * @param clientName the client's `application_name`.
   */
  relay(client: Duplex, server: Duplex, clientName = ''): void {
    if (client.destroyed) {
      server.destroy();
      return;
    }
    const relay = new Relay(client, server, clientName);
    this.#relays.add(relay);
    const ended = () => this.#relays.delete(relay);
    client.once('close', ended);
    server.once('close', ended);
    relay.apply(this.#conditionOf(clientName));
  }

  /** Ends every connection. */
  destroy(): void {
    this.#destroyed = true;
    for (const relay of this.#relays) relay.destroy();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #isSpecial(clientName: string): boolean {
    return [...this.#ofClients.keys()].some((text) => clientName.includes(text));
  }

  #conditionOf(clientName: string): Condition {
    const special = [...this.#ofClients].find(([text]) => clientName.includes(text));
    return special?.[1] ?? this.#condition;
  }

  async #passed(condition: () => Condition): Promise<void> {
    while (condition().kind === 'silent' && !this.#destroyed) {
      await new Promise<void>((wake) => this.#waiting.add(wake));
    }
    const now = condition();
    if (now.kind === 'delayed') await new Promise((wake) => setTimeout(wake, now.ms).unref());
  }
}

class Relay {
  readonly clientName: string;
  readonly #ends: readonly [Duplex, Duplex];
  readonly #directions: readonly [Direction, Direction];

  constructor(client: Duplex, server: Duplex, clientName: string) {
    this.clientName = clientName;
    this.#ends = [client, server];
    this.#directions = [new Direction(client, server), new Direction(server, client)];
    client.once('close', () => server.destroy());
    // The server's last words still reach the client: its end comes through the pipe.
    server.once('close', () => {
      if (!server.readableEnded) client.destroy();
    });
    client.on('error', () => client.destroy());
    server.on('error', () => server.destroy());
  }

  apply(condition: Condition): void {
    if (condition.kind === 'reset') this.destroy();
    else for (const direction of this.#directions) direction.apply(condition);
  }

  destroy(): void {
    for (const end of this.#ends) end.destroy();
  }
}

/** From one stream to another: joined directly, and by way of a delay line once there was a delay. */
class Direction {
  readonly #source: Duplex;
  readonly #sink: Duplex;
  #line: DelayLine | undefined;
  #joined = false;

  constructor(source: Duplex, sink: Duplex) {
    this.#source = source;
    this.#sink = sink;
  }

  apply(condition: Condition): void {
    if (condition.kind === 'delayed' && this.#line === undefined) {
      this.#part();
      this.#line = new DelayLine();
      this.#line.pipe(this.#sink);
    }
    if (this.#line !== undefined) this.#line.ms = condition.kind === 'delayed' ? condition.ms : 0;
    if (condition.kind === 'silent') this.#part();
    else this.#join();
  }

  #join(): void {
    if (this.#joined) return;
    this.#joined = true;
    this.#source.pipe(this.#line ?? this.#sink);
  }

  #part(): void {
    if (!this.#joined) return;
    this.#joined = false;
    this.#source.unpipe(this.#line ?? this.#sink);
    this.#source.pause();
  }
}

/** Lets everything through later, in order, at full bandwidth. */
class DelayLine extends Transform {
  ms = 0;
  #inFlight = 0;
  #lastDue = 0;
  readonly #arrivals: (() => void)[] = [];
  #wait: (() => void) | undefined;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#inFlight += chunk.length;
    this.#later(() => {
      this.push(chunk);
      this.#inFlight -= chunk.length;
      this.#wait?.();
      this.#wait = undefined;
    });
    if (this.#inFlight < mostInFlight) done();
    else this.#wait = done;
  }

  override _flush(done: TransformCallback): void {
    this.#later(done);
  }

  /** A shorter delay does not let later bytes overtake earlier ones: each timer lets the first one in. */
  #later(arrive: () => void): void {
    const now = Date.now();
    this.#lastDue = Math.max(this.#lastDue, now + this.ms);
    this.#arrivals.push(arrive);
    setTimeout(() => this.#arrivals.shift()?.(), this.#lastDue - now);
  }
}
