import pg from 'pg';
import { internalSuperuser, socketPort } from './settings.ts';

/** One row, as `pg` parses it. */
export type Row = Record<string, unknown>;

/** The runtime's own connection to an instance, as its superuser. It connects when needed, and again after a loss. */
export class AdminConnection {
  readonly #socketDirectory: string;
  #client: Promise<pg.Client> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param socketDirectory absolute path of the directory with the instance's socket. */
  constructor(socketDirectory: string) {
    this.#socketDirectory = socketDirectory;
  }

  /** Runs one statement in the database `postgres`, after those that were asked for before it. */
  query(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const done = this.#last.then(async () => {
      const client = await this.#connected();
      return (await client.query<Row>(text, [...values])).rows;
    });
    this.#last = done.catch(() => {});
    return done;
  }

  /** Runs `work` on a connection of its own to a database, and closes it. */
  async withDatabase<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#connect(database);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.then((open) => open.end()).catch(() => {});
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.#connect('postgres').then(
      (client) => {
        client.once('end', () => {
          this.#client = undefined;
        });
        return client;
      },
      (error: unknown) => {
        this.#client = undefined;
        throw error;
      },
    );
    return this.#client;
  }

  async #connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({
      host: this.#socketDirectory,
      port: socketPort,
      user: internalSuperuser,
      database,
      application_name: 'mainstay-runtime',
    });
    // A lost connection is opened again by the next query.
    client.on('error', () => {});
    await client.connect();
    return client;
  }
}
