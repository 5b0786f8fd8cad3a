/** The parts of dynalite that the engine uses; the package has no types of its own. */

declare module 'dynalite/db/index.js' {
  import type { Item, Store, Table, TableIndex } from 'dynalite/types';

  const dynalite: {
    create(options: {
      path: string;
      createTableMs: number;
      deleteTableMs: number;
      updateTableMs: number;
    }): Store;
    getIndexActions(
      indexes: readonly TableIndex[],
      existing: Item | undefined,
      item: Item,
      table: Table,
    ): { puts: { index: string; key: string; item: Item }[] };
  };
  export default dynalite;
}

declare module 'dynalite/types' {
  import type { Readable } from 'node:stream';

  export interface Range {
    gt?: string;
    gte?: string;
    lt?: string;
    lte?: string;
    limit?: number;
    reverse?: boolean;
  }

  export interface Entries<T> {
    nextv(size: number): Promise<T[]>;
    close(): Promise<void>;
  }

  export type Item = Record<string, unknown>;
  export type Callback<T> = (error: unknown, result: T) => void;

  export interface TableIndex {
    IndexName: string;
    KeySchema: { AttributeName: string; KeyType: string }[];
    Projection: { ProjectionType: string; NonKeyAttributes?: string[] };
    [member: string]: unknown;
  }

  export interface Table {
    TableName: string;
    TableStatus: string;
    KeySchema: { AttributeName: string; KeyType: string }[];
    AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
    GlobalSecondaryIndexes?: TableIndex[];
    [member: string]: unknown;
  }

  export interface Database {
    open(): Promise<void>;
    close(): Promise<void>;
    clear(range: Range): Promise<void>;
    batch(operations: { type: 'put'; key: string; value: unknown }[]): Promise<void>;
    keys(range: Range): Entries<string>;
    values(range: Range): Entries<Item>;
    createKeyStream(range?: Range): Readable;
    createValueStream(range?: Range): Readable;
  }

  export interface Store {
    db: Database;
    tableDb: {
      awsAccountId: string;
      awsRegion: string;
      put(name: string, table: Table, callback: Callback<undefined>): void;
    };
    getTable(name: string, checkStatus: boolean, callback: Callback<Table>): void;
  }
}

declare module 'dynalite/validations/index.js' {
  import type { Store } from 'dynalite/types';

  const validations: {
    checkTypes(data: Record<string, unknown>, types: Record<string, unknown>): Record<string, unknown>;
    checkValidations(
      data: Record<string, unknown>,
      types: Record<string, unknown>,
      custom: unknown,
      store: Store,
    ): void;
  };
  export default validations;
}

declare module 'dynalite/validations/*' {
  const validation: { types: Record<string, unknown>; custom: unknown };
  export default validation;
}

declare module 'dynalite/actions/*' {
  import type { Callback, Store } from 'dynalite/types';

  const action: (
    store: Store,
    data: Record<string, unknown>,
    callback: Callback<Record<string, unknown>>,
  ) => void;
  export default action;
}
