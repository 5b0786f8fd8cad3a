import type pg from 'pg';

/** What a statement gives, as `pg` has it. */
export type Result<Row extends pg.QueryResultRow> = Pick<
  pg.QueryResult<Row>,
  'rows' | 'rowCount' | 'command' | 'fields'
>;

/** What runs statements: in a transaction, in its order. */
export interface Session {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Result<Row>>;
}

export const isolations = {
  'read committed': 'READ COMMITTED',
  'repeatable read': 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
} as const;
export type Isolation = keyof typeof isolations;

/** Statements on a connection. */
export function sessionOn(client: pg.ClientBase): Session {
  return {
    query: (text, values) => client.query(text, values === undefined ? undefined : [...values]),
  };
}
