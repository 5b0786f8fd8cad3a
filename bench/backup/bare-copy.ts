import type { Client, Connection, Submittable } from 'pg';
import { copySql, describeRange, readCopiedTables } from '../../functions/recovery/chunks/copy-sql.ts';
import type { Job, LaneResult } from './job.ts';

type SocketReader = (chunk: Buffer) => void;

/** A ReadyForQuery message without its last byte, the state of the transaction. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5]);
const failed = 0x45;

/**
 * The least that reading a COPY can be: bytes are taken from the socket and dropped. All that is looked at is whether
 * they end as a COPY ends; COPY text has no byte 0, so no row looks like that.
 */
class BareCopy implements Submittable {
  readonly done: Promise<void>;
  readonly #sql: string;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  #tail: Buffer = Buffer.alloc(0);

  constructor(sql: string) {
    this.#sql = sql;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: Connection): void {
    const socket = connection.stream;
    const readers = socket.listeners('data').filter(isSocketReader);
    const drop: SocketReader = (chunk) => {
      const end = this.#endOf(chunk);
      if (end === undefined) return;
      socket.off('data', drop);
      for (const reader of readers) socket.on('data', reader);
      for (const reader of readers) reader(end);
      if (end.at(-1) === failed) this.#reject(new Error(`The server did not complete ${this.#sql}`));
    };
    for (const reader of readers) socket.off('data', reader);
    socket.on('data', drop);
    connection.query(this.#sql);
  }

  /** Called by the client: the connection failed. */
  handleError(error: Error): void {
    this.#reject(error);
  }

  /** Called by the client: the connection is free again. */
  handleReadyForQuery(): void {
    this.#resolve();
  }

  /** The ReadyForQuery message, when the chunk ends with it. */
  #endOf(chunk: Buffer): Buffer | undefined {
    const length = readyForQuery.length + 1;
    const tail = chunk.length >= length ? chunk : Buffer.concat([this.#tail, chunk]);
    this.#tail = Buffer.from(tail.subarray(-length));
    return this.#tail.length === length && this.#tail.indexOf(readyForQuery) === 0 ? this.#tail : undefined;
  }
}

function isSocketReader(listener: unknown): listener is SocketReader {
  return typeof listener === 'function';
}

/** Reads every range of the items. */
export async function work(
  client: Client,
  { items }: Job,
): Promise<Pick<LaneResult, 'textBytes' | 'storedBytes'>> {
  for (const { ranges } of items) {
    const oids = ranges.map(({ oid }) => oid);
    const tables = await readCopiedTables(client, oids);
    for (const range of ranges) {
      const table = tables.get(range.oid);
      if (table === undefined) throw new Error(`${describeRange(range)} is gone.`);
      await client.query(new BareCopy(copySql(range, table))).done;
    }
  }
  // Nothing is counted: that would cost time.
  return { textBytes: 0, storedBytes: 0 };
}
