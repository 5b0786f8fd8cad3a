import fc from 'fast-check';
import { type Change, tableNames } from './changes.ts';

const table = fc.constantFrom(...tableNames);
const id = fc.integer({ min: 1, max: 300 });
const many = fc.integer({ min: 1, max: 120 });

const columns = '(id, body)';

/** A few rows in place of others: the number of rows stays. */
const replace = fc
  .tuple(table, id, many)
  .map(
    ([name, from, count]) =>
      `UPDATE ${name} SET body = md5(body) WHERE id BETWEEN ${from} AND ${from + count}`,
  );
const insert = fc
  .tuple(table, many, fc.integer({ min: 1, max: 1_000_000 }))
  .map(
    ([name, count, seed]) =>
      `INSERT INTO ${name} ${columns} SELECT ${name === 'parted_low' ? 'n % 1000' : `${seed} % 900000 + 1000 + n`}, md5((n + ${seed})::text) FROM generate_series(1, ${count}) n`,
  );
const remove = fc
  .tuple(table, id, many)
  .map(([name, from, count]) => `DELETE FROM ${name} WHERE id BETWEEN ${from} AND ${from + count}`);
/** As many rows go as come. */
const exchange = fc.tuple(fc.constantFrom('plain', 'spare'), many).map(
  ([name, count]) =>
    `WITH gone AS (DELETE FROM ${name} WHERE ctid IN (SELECT ctid FROM ${name} LIMIT ${count}) RETURNING id)
       INSERT INTO ${name} SELECT id, 'again ' || id FROM gone`,
);
const rows = fc.oneof(replace, insert, remove, exchange);
const inSavepoint = fc
  .tuple(rows, rows, fc.boolean())
  .map(([kept, maybe, undone]) => [kept, 'SAVEPOINT s', maybe, undone ? 'ROLLBACK TO s' : 'RELEASE s']);
const written = fc.oneof(
  rows.map((statement) => [statement]),
  inSavepoint,
);

const files = fc
  .tuple(
    fc.constantFrom(
      'VACUUM FULL',
      'VACUUM',
      'VACUUM (FREEZE)',
      'CLUSTER wide USING wide_pkey;',
      'ANALYZE',
      'TRUNCATE',
    ),
    table,
  )
  .map(([what, name]) => (what.endsWith(';') ? what : `${what} ${name}`));

const ddl: readonly (readonly string[])[] = [
  ['ALTER TABLE plain ADD COLUMN extra int DEFAULT 7'],
  ['ALTER TABLE plain ADD COLUMN extra int DEFAULT 8', 'ALTER TABLE plain ALTER COLUMN extra DROP DEFAULT'],
  ['ALTER TABLE plain DROP COLUMN extra'],
  ['ALTER TABLE plain DROP COLUMN body', 'ALTER TABLE plain ADD COLUMN body text'],
  [
    "ALTER TYPE mood RENAME VALUE 'good' TO 'fine'",
    "ALTER TYPE mood RENAME VALUE 'bad' TO 'good'",
    "ALTER TYPE mood RENAME VALUE 'fine' TO 'bad'",
  ],
  ["ALTER TYPE mood RENAME VALUE 'ugly' TO 'pretty'"],
  ["ALTER TYPE mood RENAME VALUE 'pretty' TO 'ugly'"],
  ['ALTER TYPE place DROP ATTRIBUTE number', 'ALTER TYPE place ADD ATTRIBUTE number int'],
  [
    'ALTER TABLE spare RENAME TO other',
    'ALTER TABLE plain RENAME TO spare',
    'ALTER TABLE other RENAME TO plain',
  ],
  [
    'BEGIN',
    'ALTER TABLE parted DETACH PARTITION parted_low',
    'ALTER TABLE parted_low RENAME TO other',
    'ALTER TABLE spare RENAME TO parted_low',
    'ALTER TABLE other RENAME TO spare',
    'DELETE FROM parted_low WHERE id NOT BETWEEN 0 AND 999',
    'ALTER TABLE parted ATTACH PARTITION parted_low FOR VALUES FROM (0) TO (1000)',
    'COMMIT',
    'ROLLBACK',
  ],
  ['CREATE TABLE again AS SELECT * FROM plain', 'DROP TABLE plain', 'ALTER TABLE again RENAME TO plain'],
  [
    'CREATE TABLE again (LIKE spare)',
    'DROP TABLE spare',
    'ALTER TABLE again RENAME TO spare',
    "INSERT INTO spare SELECT n, 'new' FROM generate_series(1, 50) n",
  ],
  ['ALTER TABLE plain ALTER COLUMN id TYPE bigint'],
  ['ALTER TABLE plain SET UNLOGGED'],
  ['ALTER TABLE plain SET LOGGED'],
];

const session = fc.integer({ min: 0, max: 2 });
const how = fc.constantFrom('COMMIT' as const, 'ROLLBACK' as const);

/** Anything that people do to a database between two backups. */
export const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: written.map((statements) => ({
      kind: 'sql' as const,
      statements: ['BEGIN', ...statements, 'COMMIT'],
    })),
  },
  { weight: 2, arbitrary: files.map((statement) => ({ kind: 'sql' as const, statements: [statement] })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...ddl).map((statements) => ({ kind: 'sql' as const, statements })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(session, written)
      .map(([number, statements]) => ({ kind: 'begin' as const, session: number, statements })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(session, how)
      .map(([number, end]) => ({ kind: 'end' as const, session: number, how: end })),
  },
  { weight: 1, arbitrary: written.map((statements) => ({ kind: 'prepare' as const, statements })) },
  { weight: 1, arbitrary: how.map((end) => ({ kind: 'end prepared' as const, how: end })) },
);

/** What happens before the first backup, and between one and the next. */
export const history = (links: number, changes: number): fc.Arbitrary<Change[][]> =>
  fc.array(fc.array(change, { maxLength: changes }), { minLength: links, maxLength: links });
