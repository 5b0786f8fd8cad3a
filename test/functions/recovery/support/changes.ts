import type pg from 'pg';

/** A database for changes at random: an enumeration, a wide table, partitions, a table without a key. */
export const changingSchema = `
CREATE TYPE mood AS ENUM ('good', 'bad', 'ugly');
CREATE TYPE place AS (street text, number int);
CREATE TABLE wide (id int PRIMARY KEY, body text, feeling mood, home place) WITH (fillfactor = 70);
CREATE TABLE plain (id int, body text);
CREATE TABLE parted (id int, body text) PARTITION BY RANGE (id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (1000);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (1000) TO (1000000);
CREATE TABLE spare (id int, body text);
INSERT INTO wide SELECT n, repeat(md5(n::text), 4), 'good', ROW('street'::text, n)::place FROM generate_series(1, 300) n;
INSERT INTO plain SELECT n, md5(n::text) FROM generate_series(1, 200) n;
INSERT INTO parted SELECT n * 10, md5(n::text) FROM generate_series(0, 199) n;
INSERT INTO spare SELECT n, md5(n::text) FROM generate_series(1, 50) n;`;

export const tableNames = ['wide', 'plain', 'parted_low', 'parted_high', 'spare'] as const;

/** One thing that somebody does to the database between backups. */
export type Change =
  | { readonly kind: 'sql'; readonly statements: readonly string[] }
  /** A transaction of a session of its own, that is left open. */
  | { readonly kind: 'begin'; readonly session: number; readonly statements: readonly string[] }
  | { readonly kind: 'end'; readonly session: number; readonly how: 'COMMIT' | 'ROLLBACK' }
  /** Left behind by its session; only where the server takes such. */
  | { readonly kind: 'prepare'; readonly statements: readonly string[] }
  | { readonly kind: 'end prepared'; readonly how: 'COMMIT' | 'ROLLBACK' };

/** Does changes with a bounded number of sessions; what the database refuses is passed over. */
export class Changer {
  readonly #connect: () => Promise<pg.Client>;
  readonly #sessions = new Map<number, pg.Client>();
  #main: pg.Client | undefined;
  #prepared = 0;
  /** Statements that the database took. */
  done = 0;

  constructor(connect: () => Promise<pg.Client>) {
    this.#connect = connect;
  }

  async apply(change: Change): Promise<void> {
    if (change.kind === 'sql') {
      for (const statement of change.statements) await this.#run(await this.#mainSession(), statement);
    } else if (change.kind === 'begin') {
      const session = this.#sessions.get(change.session) ?? (await this.#open());
      this.#sessions.set(change.session, session);
      for (const statement of ['BEGIN', ...change.statements]) await this.#run(session, statement);
    } else if (change.kind === 'end') {
      const session = this.#sessions.get(change.session);
      if (session !== undefined) await this.#run(session, change.how);
    } else if (change.kind === 'prepare') {
      const main = await this.#mainSession();
      const name = `p${++this.#prepared}`;
      for (const statement of ['BEGIN', ...change.statements]) await this.#run(main, statement);
      if (!(await this.#run(main, `PREPARE TRANSACTION '${name}'`))) await this.#run(main, 'ROLLBACK');
    } else {
      for (let number = 1; number <= this.#prepared; number++) {
        await this.#run(await this.#mainSession(), `${change.how} PREPARED 'p${number}'`);
      }
    }
  }

  async close(): Promise<void> {
    await this.apply({ kind: 'end prepared', how: 'ROLLBACK' });
    for (const client of [...this.#sessions.values(), this.#main]) await client?.end().catch(() => undefined);
    this.#sessions.clear();
    this.#main = undefined;
  }

  async #mainSession(): Promise<pg.Client> {
    this.#main ??= await this.#open();
    return this.#main;
  }

  async #open(): Promise<pg.Client> {
    const client = await this.#connect();
    client.on('error', () => undefined);
    await client.query("SET lock_timeout = '50ms'; SET statement_timeout = '5s'");
    return client;
  }

  async #run(client: pg.Client, statement: string): Promise<boolean> {
    try {
      await client.query(statement);
      this.done++;
      return true;
    } catch {
      return false;
    }
  }
}
