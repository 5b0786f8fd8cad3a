/** A schema whose names and values have broken dumps before. */
export const hostileSchema = `
CREATE SCHEMA "strange ""schema""";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'sm\\tile');
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE TABLE "strange ""schema"""."table with . and ""quotes""" (
  "a column, with comma" text,
  "ünïcödé" text,
  "bytes" bytea
);
INSERT INTO "strange ""schema"""."table with . and ""quotes""" VALUES
  ('\\N', 'literal backslash N', NULL),
  ('\\.', E'tab\\tnewline\\nreturn\\rbackspace\\bvertical\\v', ''),
  (NULL, '', decode((SELECT string_agg(lpad(to_hex(b), 2, '0'), '') FROM generate_series(0, 255) b), 'hex')),
  (E'\\\\', 'ends with a backslash\\', '\\xff'),
  ('', repeat('x', 200000), NULL);
CREATE TABLE kinds (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  feeling mood NOT NULL DEFAULT 'it''s ok',
  amount numeric(30, 10),
  ratio double precision,
  small real,
  day date,
  span interval,
  at timestamptz,
  tags text[],
  matrix int[][],
  document jsonb,
  raw json,
  price money,
  address inet,
  area box,
  period tstzrange,
  spans int4multirange,
  pos positive,
  search tsvector,
  doubled numeric GENERATED ALWAYS AS (amount * 2) STORED
);
INSERT INTO kinds (feeling, amount, ratio, small, day, span, at, tags, matrix, document, raw, price, address, area, period, spans, pos, search)
VALUES
  ('sad', 'NaN', 'NaN', 'Infinity', '-infinity', '-1 mon +2 days -03:04:05.678', 'infinity', '{"a,b","c\\"d",NULL,"NULL"}',
   '{{1,2},{3,NULL}}', '{"k": "\\u00e9\\n", "n": 1e400}', '{"kept":  "as is"}', 12.34, '::1/64', '(1,2),(3,4)',
   '[2026-01-01,)', '{[1,3),[5,8)}', 7, 'fat:2 cat:3A'),
  ('sm\\tile', 1e15, 5e-324, 1.1754944e-38, '4713-01-01 BC', '178000000 years', '2026-11-20 12:00:00.123456+05:30', '{}',
   NULL, 'null', 'null', -92233720368547758.08, '10.0.0.0/8', NULL, 'empty', '{}', NULL, ''),
  ('it''s ok', 0.1, 0.1, 0.1, '2026-02-28', '0', now(), ARRAY[E'\\\\', E'\\n'], NULL, '[]', '""', 0, NULL, NULL, NULL, NULL, 1, NULL);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE empty_table (id int);
CREATE UNLOGGED TABLE unlogged (id int);
INSERT INTO unlogged SELECT generate_series(1, 10);
CREATE TABLE measurements (at date NOT NULL, value int) PARTITION BY RANGE (at);
CREATE TABLE measurements_2025 PARTITION OF measurements FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measurements_rest PARTITION OF measurements DEFAULT;
INSERT INTO measurements SELECT date '2025-06-01' + n, n FROM generate_series(0, 999) n;
CREATE TABLE parent (id int, name text);
CREATE TABLE child (extra text) INHERITS (parent);
INSERT INTO parent VALUES (1, 'only parent');
INSERT INTO child VALUES (2, 'in child', 'x');
CREATE TABLE many (id serial PRIMARY KEY, body text);
INSERT INTO many (body) SELECT md5(n::text) || repeat(' lorem ipsum', n % 7) FROM generate_series(1, 20000) n;
DELETE FROM many WHERE id % 10 = 0;
CREATE TABLE dropped (gone int, kept text, also_gone int);
INSERT INTO dropped VALUES (1, 'kept', 2);
ALTER TABLE dropped DROP COLUMN gone, DROP COLUMN also_gone;
CREATE VIEW many_view AS SELECT count(*) FROM many;
CREATE MATERIALIZED VIEW many_lengths AS SELECT length(body) AS l, count(*) AS n FROM many GROUP BY 1;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.body := NEW.body; RETURN NEW; END $f$;
CREATE TRIGGER touched BEFORE UPDATE ON many FOR EACH ROW EXECUTE FUNCTION touch();
CREATE INDEX ON many (body);
ALTER TABLE child ADD CONSTRAINT extra_known CHECK (extra <> '');
CREATE SEQUENCE "odd sequence" START 9223372036854775800 MINVALUE -9223372036854775808;
SELECT nextval('"odd sequence"');
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_owner') THEN
    CREATE ROLE app_owner;
    GRANT app_owner TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
  END IF;
END $$;
CREATE SCHEMA vault AUTHORIZATION app_owner;
CREATE TABLE vault.guarded (tenant text, secret text);
ALTER TABLE vault.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON vault.guarded USING (tenant = current_user);
INSERT INTO vault.guarded VALUES ('a', '1'), ('b', '2');
ALTER TABLE vault.guarded OWNER TO app_owner;
`;
