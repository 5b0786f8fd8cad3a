import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type pg from 'pg';
import { connectTo, onShard } from './databases.ts';
import type { LocalJson } from './local-platform.ts';
import type { StoredBackup } from './stored-backup.ts';

const accounts = 200;
const balance = 1_000_000;
const queueLength = 5;

const tables = `
  DROP SCHEMA IF EXISTS bank CASCADE;
  CREATE SCHEMA bank;
  CREATE TABLE bank.debit (id integer PRIMARY KEY, balance bigint, filler text);
  CREATE TABLE bank.credit (LIKE bank.debit INCLUDING ALL);
  CREATE TABLE bank.transfers (writer integer, number integer, amount integer, PRIMARY KEY (writer, number));
  CREATE TABLE bank.progress (writer integer PRIMARY KEY, number integer);
  CREATE TABLE bank.queue (writer integer, number integer);
  INSERT INTO bank.debit SELECT n, ${balance}, repeat('x', 500) FROM generate_series(1, ${accounts}) AS n;
  INSERT INTO bank.credit SELECT * FROM bank.debit;`;

/** One transfer: inserts, updates and a delete in five tables, all of it or nothing. */
const transfer = (writer: number, number: number, amount: number): string => `
  BEGIN;
  UPDATE bank.debit SET balance = balance - ${amount} WHERE id = ${1 + ((number * 7 + writer) % accounts)};
  INSERT INTO bank.queue VALUES (${writer}, ${number});
  INSERT INTO bank.transfers VALUES (${writer}, ${number}, ${amount});
  DELETE FROM bank.queue WHERE writer = ${writer} AND number <= ${number - queueLength};
  UPDATE bank.progress SET number = ${number} WHERE writer = ${writer};
  UPDATE bank.credit SET balance = balance + ${amount} WHERE id = ${1 + ((number * 11 + writer) % accounts)};
  COMMIT`;

/**
 * Writers that never stop. Their transfers are numbered, and whatever has been committed at an instant is in all tables or in none: a
 * copy that is not of one instant shows it.
 */
export class Workload {
  readonly #local: LocalJson;
  readonly #shard: string;
  readonly #done: number[];
  readonly #running: Promise<void>[] = [];
  #stop = false;

  private constructor(local: LocalJson, shard: string, writers: number) {
    this.#local = local;
    this.#shard = shard;
    this.#done = Array<number>(writers).fill(0);
  }

  static async start(local: LocalJson, shard: string, writers = 3): Promise<Workload> {
    await onShard(local, shard, async (client) => {
      await client.query(tables);
      await client.query('INSERT INTO bank.progress SELECT n, 0 FROM generate_series(0, $1::int - 1) AS n', [
        writers,
      ]);
    });
    const workload = new Workload(local, shard, writers);
    for (let writer = 0; writer < writers; writer++) {
      const client = await connectTo(local, shard);
      workload.#running.push(workload.#write(client, writer));
    }
    return workload;
  }

  /** How many transfers of each writer have been committed. */
  get done(): readonly number[] {
    return [...this.#done];
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await Promise.all(this.#running);
  }

  /** Stops, and removes the tables. */
  async end(): Promise<void> {
    await this.stop();
    await onShard(this.#local, this.#shard, (client) => client.query('DROP SCHEMA bank CASCADE'));
  }

  async #write(client: pg.Client, writer: number): Promise<void> {
    try {
      for (let number = 1; !this.#stop; number++) {
        await client.query(transfer(writer, number, 1 + (number % 13)));
        this.#done[writer] = number;
        // The machine has something else to do, too.
        await sleep(2);
      }
    } finally {
      await client.end();
    }
  }
}

/**
 * Expects the stored tables to be of exactly one instant.
 *
 * @returns how many transfers of each writer had been committed at that instant.
 */
export async function expectOneInstant(backup: StoredBackup, shard: string): Promise<number[]> {
  const numbers = async (name: string) =>
    (await backup.rows(shard, { schema: 'bank', name })).map((row) => row.map(Number));
  const progress = new Map((await numbers('progress')).map(([writer = -1, number = -1]) => [writer, number]));
  const transfers = await numbers('transfers');
  const queue = await numbers('queue');
  for (const [writer, last] of progress) {
    const made = transfers.flatMap(([by, number = 0]) => (by === writer ? [number] : []));
    expect(made.sort((a, b) => a - b)).toEqual(Array.from({ length: last }, (_, n) => n + 1));
    const waiting = queue.flatMap(([by, number = 0]) => (by === writer ? [number] : []));
    const length = Math.min(last, queueLength);
    expect(waiting.sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, n) => last - length + n + 1));
  }
  const moved = transfers.reduce((sum, [, , amount = 0]) => sum + amount, 0);
  const total = async (name: string) =>
    (await numbers(name)).reduce((sum, [, amount = 0]) => sum + amount, 0);
  expect(await total('debit')).toBe(accounts * balance - moved);
  expect(await total('credit')).toBe(accounts * balance + moved);
  return [...progress].sort(([a], [b]) => a - b).map(([, number]) => number);
}
