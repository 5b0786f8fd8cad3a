/** The parts of PostgreSQL's wire protocol that stand between pg_dump and an authenticated connection. */

const sslRequest = 80877103;
const gssRequest = 80877104;
const readyForQuery = 0x5a;
/** Query, Sync and FunctionCall: what the server answers with ReadyForQuery at the end. */
const asking: ReadonlySet<number> = new Set([0x51, 0x53, 0x46]);

/** Cuts a stream of messages, each a type, a length and a body, into their types. */
class MessageTypes {
  readonly #header = Buffer.alloc(5);
  #filled = 0;
  #unread = 0;

  /** Whether the last message is complete. */
  get complete(): boolean {
    return this.#filled === 0 && this.#unread === 0;
  }

  /** The types of the messages that end in `chunk`. */
  read(chunk: Buffer): number[] {
    const ended: number[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#unread === 0) {
        this.#header[this.#filled++] = chunk[at++] ?? 0;
        if (this.#filled < this.#header.length) continue;
        this.#filled = 0;
        this.#unread = this.#header.readUInt32BE(1) - 4;
      }
      const passed = Math.min(this.#unread, chunk.length - at);
      this.#unread -= passed;
      at += passed;
      if (this.#unread === 0) ended.push(this.#header[0] ?? 0);
    }
    return ended;
  }
}

/** Follows what the server sends, and knows whether it has said all there is to say. */
export class AnswerTracker {
  readonly #messages = new MessageTypes();
  #ready = true;

  /** The server waits for the next query. */
  get ready(): boolean {
    return this.#ready && this.#messages.complete;
  }

  /** A query was sent: an answer is to come. */
  asked(): void {
    this.#ready = false;
  }

  received(chunk: Buffer): void {
    const last = this.#messages.read(chunk).at(-1);
    if (last !== undefined) this.#ready = last === readyForQuery;
  }
}

/** Follows what the client sends; long queries come in pieces. */
export class QuestionTracker {
  readonly #messages = new MessageTypes();

  /** Whether the server will answer once it has read `chunk`. */
  sent(chunk: Buffer): boolean {
    const last = this.#messages.read(chunk).at(-1);
    return this.#messages.complete && last !== undefined && asking.has(last);
  }
}

/** Whether a first packet asks for encryption, which this connection does not need: it stays in the process. */
export function asksForEncryption(packet: Buffer): boolean {
  if (packet.length < 8) return false;
  const code = packet.readUInt32BE(4);
  return packet.readUInt32BE(0) === 8 && (code === sslRequest || code === gssRequest);
}

/** Whether the client says goodbye. The connection is not its own, so the goodbye is not passed on. */
export const isTerminate = (packet: Buffer): boolean => packet.length === 5 && packet[0] === 0x58;

/**
 * What a server would answer to a statement that is not to reach it: the session is inside a transaction already,
 * and stays there. Nothing, when the statement may pass.
 */
export function answerInTransaction(packet: Buffer): Buffer | undefined {
  if (packet[0] !== 0x51) return undefined;
  const sql = packet.toString('utf8', 5, packet.length - 1).trim();
  const tag = sql === 'BEGIN' ? 'BEGIN' : sql.startsWith('SET TRANSACTION ') ? 'SET' : undefined;
  if (tag === undefined) return undefined;
  return Buffer.concat([message('C', Buffer.from(`${tag}\0`)), message('Z', Buffer.from('T'))]);
}

/** What a server says after a successful login, with the parameters of the session that stands behind. */
export function greeting(parameters: Readonly<Record<string, string>>): Buffer {
  const ok = message('R', Buffer.alloc(4));
  const statuses = Object.entries(parameters).map(([name, value]) =>
    message('S', Buffer.from(`${name}\0${value}\0`)),
  );
  const key = message('K', Buffer.alloc(8));
  return Buffer.concat([ok, ...statuses, key, message('Z', Buffer.from('I'))]);
}

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}
