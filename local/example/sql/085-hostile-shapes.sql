-- Tables of unusual shape. Needs the schema of the hostile values.

-- Rows, but no columns.
CREATE TABLE hostile.no_columns ();
INSERT INTO hostile.no_columns SELECT FROM generate_series(1, 3);

-- All of its columns have been dropped.
CREATE TABLE hostile.all_dropped (a integer, b text);
INSERT INTO hostile.all_dropped SELECT n, 'b' FROM generate_series(1, 3) AS n;
ALTER TABLE hostile.all_dropped DROP COLUMN a, DROP COLUMN b;

-- Nothing of it can be written: every column is computed.
CREATE TABLE hostile.only_generated (
  n integer GENERATED ALWAYS AS (6 * 7) STORED,
  v integer GENERATED ALWAYS AS (1 + 1) VIRTUAL
);
INSERT INTO hostile.only_generated DEFAULT VALUES;

-- Columns of types that tables make: rows of another table, and arrays of them.
CREATE TABLE hostile.parts (id integer, label text);
CREATE TABLE hostile.assemblies (id integer PRIMARY KEY, main hostile.parts, others hostile.parts[]);
INSERT INTO hostile.parts VALUES (1, 'one'), (2, NULL);
INSERT INTO hostile.assemblies VALUES
  (1, ROW(1, 'a "quoted", \ label'), ARRAY[ROW(1, 'x')::hostile.parts, ROW(NULL, NULL)::hostile.parts, NULL]),
  (2, NULL, '{}'),
  (3, ROW(NULL, ''), NULL);

-- Many columns. Few have a default: pg_dump sorts the whole catalogue anew for each default of a table.
DO $$ BEGIN
  EXECUTE 'CREATE TABLE hostile.wide (' || (SELECT string_agg(format('c%s integer%s', n, CASE WHEN n % 90 = 0 THEN ' DEFAULT ' || n ELSE '' END), ', ') FROM generate_series(1, 900) AS n) || ')';
  EXECUTE 'INSERT INTO hostile.wide VALUES (' || (SELECT string_agg(n::text, ', ') FROM generate_series(1, 800) AS n) || ')';
END $$;

-- Mostly dead space: whole blocks without a row.
CREATE TABLE hostile.sparse (id integer, filler text) WITH (autovacuum_enabled = false, fillfactor = 50);
INSERT INTO hostile.sparse SELECT n, repeat('.', 500) FROM generate_series(1, 4000) AS n;
DELETE FROM hostile.sparse WHERE id BETWEEN 100 AND 3900;
