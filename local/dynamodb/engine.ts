import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import dynalite from 'dynalite/db/index.js';
import type { Database, Range, Store, Table } from 'dynalite/types';
import validations from 'dynalite/validations/index.js';
import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';
import { type DynaliteAction, dynaliteActions } from './dynalite-actions.ts';
import { pieces } from './entries.ts';
import { rebuildIndexes } from './indexes.ts';

const conditionsSchema = z.record(
  z.string(),
  z
    .object({ AttributeValueList: z.array(z.unknown()) })
    .transform((condition) => condition.AttributeValueList),
);

/**
 * dynalite's store and operations in this process, without its HTTP server: an error in one of them
 * fails the call instead of the process.
 */
export class DynamoEngine {
  readonly #directory: string;
  readonly #openMarker: string;
  #store: Store | undefined;

  /** Data goes to `<directory>/dynamodb`. */
  constructor(directory: string) {
    this.#directory = join(directory, 'dynamodb');
    this.#openMarker = join(directory, 'dynamodb.open');
  }

  /**
   * Opens the store. When the last process did not close it, table states and indexes are brought in
   * line with the items, since an item and its index entries are separate writes.
   */
  async open(accountId: string, region: string): Promise<void> {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const store = dynalite.create({
      path: this.#directory,
      createTableMs: 0,
      deleteTableMs: 0,
      updateTableMs: 0,
    });
    closeIterators(store.db);
    await store.db.open();
    Object.assign(store.tableDb, { awsAccountId: accountId, awsRegion: region });
    this.#store = store;
    if (existsSync(this.#openMarker)) {
      for (const table of await this.tables()) {
        await this.putTable({ ...table, TableStatus: 'ACTIVE' });
        await rebuildIndexes(store.db, table);
      }
    }
    writeFileSync(this.#openMarker, '', { mode: 0o600 });
  }

  async close(): Promise<void> {
    const store = this.#store;
    if (!store) return;
    this.#store = undefined;
    await store.db.close();
    rmSync(this.#openMarker, { force: true });
  }

  /** Runs an operation on a copy of its input. Throws what DynamoDB would, `NotEmulated` for unknown members. */
  async execute(name: DynaliteAction, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    const store = this.#opened();
    const data = this.#parse(name, input);
    try {
      return await new Promise((resolve, reject) => {
        dynaliteActions[name].action(store, data, (error, result) =>
          error ? reject(error) : resolve(result),
        );
      });
    } catch (error) {
      throw asAwsError(error);
    }
  }

  /** The conditions of a query on keys, by attribute; each with the values it compares with. Throws as `execute` does. */
  keyConditions(input: Record<string, unknown>): Record<string, unknown[]> {
    return conditionsSchema.parse(this.#parse('Query', input).KeyConditions);
  }

  #parse(name: DynaliteAction, input: Record<string, unknown>): Record<string, unknown> {
    const { input: accepted } = dynaliteActions[name];
    const unknown = Object.keys(input).filter((member) => !Object.hasOwn(accepted.types, member));
    if (unknown.length > 0) {
      const message = `The local runtime does not emulate ${unknown.join(', ')} of dynamodb:${name}`;
      throw new AwsError('NotEmulated', message, 501);
    }
    try {
      const data = validations.checkTypes(structuredClone(input), accepted.types);
      validations.checkValidations(data, accepted.types, accepted.custom, this.#opened());
      return data;
    } catch (error) {
      throw asAwsError(error);
    }
  }

  /** Tables on disk, by name. */
  async tables(): Promise<Table[]> {
    const prefix = 'table~';
    const names: string[] = [];
    for await (const key of pieces(this.#opened().db.keys({ gte: prefix, lt: `${prefix}\xff` }))) {
      names.push(key.slice(prefix.length));
    }
    return Promise.all(names.map((name) => this.table(name)));
  }

  /** Throws `ResourceNotFoundException`. */
  table(name: string): Promise<Table> {
    return new Promise((resolve, reject) => {
      this.#opened().getTable(name, false, (error, table) =>
        error ? reject(asAwsError(error)) : resolve(table),
      );
    });
  }

  putTable(table: Table): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened().tableDb.put(table.TableName, table, (error) =>
        error ? reject(asAwsError(error)) : resolve(),
      );
    });
  }

  /** Fills the indexes of a table from its items. */
  rebuildIndexes(table: Table): Promise<void> {
    return rebuildIndexes(this.#opened().db, table);
  }

  #opened(): Store {
    if (!this.#store) throw new AwsError('InternalServerError', 'DynamoDB is not running', 500);
    return this.#store;
  }
}

/** dynalite leaves the iterator behind each query open; each would pin memory until the store closes. */
function closeIterators(db: Database): void {
  db.createKeyStream = (range: Range = {}) => Readable.from(pieces(db.keys(range)));
  db.createValueStream = (range: Range = {}) => Readable.from(pieces(db.values(range)));
}

function asAwsError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('statusCode' in error) || !('body' in error))
    return error;
  const { statusCode, body } = error;
  if (typeof body !== 'object' || body === null) return error;
  const { __type, message, Message, ...details } = Object.assign(
    { __type: '', message: undefined, Message: undefined },
    body,
  );
  return new AwsError(
    __type.split('#').at(-1) ?? __type,
    String(message ?? Message ?? ''),
    Number(statusCode),
    details,
  );
}
