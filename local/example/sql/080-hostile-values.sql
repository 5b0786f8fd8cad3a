-- Values that a careless program breaks on. Needs nothing of the other files.

CREATE SCHEMA hostile;

-- What COPY's text format gives a meaning to, and what editors, terminals and JSON like to change.
CREATE TABLE hostile.texts (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text NOT NULL, value text);
INSERT INTO hostile.texts (what, value) VALUES
  ('null', NULL),
  ('empty', ''),
  ('literal \N', '\N'),
  ('literal \n', '\n'),
  ('literal \.', '\.'),
  ('end of data on a line of its own', E'before\n\\.\nafter'),
  ('the word NULL', 'NULL'),
  ('tab', E'\t'),
  ('newline', E'\n'),
  ('carriage return', E'\r'),
  ('both', E'\r\n'),
  ('other control characters', E'\x01\x02\x07\b\x0b\f\x0e\x1b\x1f\x7f'),
  ('backslash', '\'),
  ('two backslashes', '\\'),
  ('backslash at the end', 'end\'),
  ('backslash before a newline', E'a\\\nb'),
  ('octal and hexadecimal escapes', '\101 \x41 \u0041'),
  ('quotes', '''"`´'),
  ('braces, brackets, commas', '{a,"b",NULL,[c]}'),
  ('spaces at both ends', '  x  '),
  ('emoji of several code points', '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽'),
  ('composed and decomposed', U&'\00e9 e\0301'),
  ('right to left', 'שלום مرحبا'),
  ('byte order mark', U&'\feff' || 'x'),
  ('line and paragraph separators', U&'a\2028b\2029c\0085d'),
  ('not characters', U&'\fffe \ffff \+10ffff'),
  ('looks like SQL', $$'; DROP TABLE hostile.texts; --$$),
  ('looks like a number', '00123e5'),
  ('looks like JSON', '{"a":"\u0000"}');

-- Every byte, alone and all in a row.
CREATE TABLE hostile.bytes (id integer PRIMARY KEY, value bytea);
INSERT INTO hostile.bytes SELECT n, set_byte('\x00', 0, n) FROM generate_series(0, 255) AS n;
INSERT INTO hostile.bytes
SELECT 256, string_agg(value, '' ORDER BY id) FROM hostile.bytes
UNION ALL VALUES (257, ''::bytea), (258, NULL), (259, '\x5c4e'::bytea), (260, convert_to(E'\\.\n', 'UTF8'));

-- One row per extreme.
CREATE TABLE hostile.extremes (
  what text PRIMARY KEY, i2 smallint, i8 bigint, f4 real, f8 double precision, exact numeric, d date, t time, tz timetz,
  ts timestamp, tstz timestamptz, span interval, network inet, mac macaddr8, flag boolean, fixed char(5), one "char",
  few bit(3), many varbit, spot point, outline polygon, document xml, loose json, lsn pg_lsn, ranges int4multirange,
  grid integer[], path jsonpath
);
INSERT INTO hostile.extremes VALUES
  ('least', -32768, -9223372036854775808, '-Infinity', '-Infinity', '-Infinity', '-infinity', '00:00', '00:00+15:59',
   '-infinity', '-infinity', '-178000000 years', '0.0.0.0/0', '00:00:00:00:00:00:00:00', false, '', '', B'000', B'',
   '(-Infinity,-0)', '((0,0))', '', 'null', '0/0', '{}', '{}', '$'),
  ('most', 32767, 9223372036854775807, 'Infinity', 'Infinity', 'Infinity', 'infinity', '24:00', '24:00-15:59',
   'infinity', 'infinity', 'infinity', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ff:ff:ff:ff:ff:ff:ff:ff', true, 'ÄÖÜ✓🚀',
   '~', B'111', repeat('10', 500)::varbit, '(1e308,NaN)', '((0,0),(1,1),(2,0))',
   '<a b="&amp;">]]&gt;<![CDATA[ <raw> & ]]></a>', ' { "kept" : [1,  2], "kept" : "twice" } ', 'FFFFFFFF/FFFFFFFF',
   '{[1,3),[5,7),[9,)}', '[-1:0][2:3]={{1,2},{3,NULL}}', 'strict $."a"[*] ? (@ > 1 && @.b like_regex "^x\n")'),
  ('odd', 0, 0, 'NaN', '-0', 'NaN', '4713-01-01 BC', '23:59:59.999999', '12:34:56.789+05:45', '294276-12-31 23:59:59.999999',
   '4714-11-24 00:00:00+00 BC', '1 year -1 day 00:00:00.000001', '::ffff:1.2.3.4', '08:00:2b:01:02:03:04:05', NULL, '     ',
   '\200', B'101', B'0', NULL, NULL, '<?xml version="1.0"?><ü/>', '"\ud83d\ude00"', '16/B374D848', '{(,)}', '{NULL}', NULL),
  ('precise', 1, 1, 1.17549435e-38, 2.2250738585072014e-308,
   ('1' || repeat('0', 500) || '.' || repeat('0', 499) || '1')::numeric, NULL, NULL, NULL, '2026-03-29 02:30:00.000001',
   '2026-10-25 02:30:00.5+02', '00:00:00.000001', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- A megabyte or two in one value: compressible, incompressible, stored without compression, deep.
CREATE TABLE hostile.large (
  id integer PRIMARY KEY, words text, noise bytea, plain text, document jsonb
);
ALTER TABLE hostile.large ALTER COLUMN plain SET STORAGE EXTERNAL;
INSERT INTO hostile.large VALUES
  (1, repeat('the same again ', 100000), NULL, NULL, NULL),
  (2, NULL, (SELECT string_agg(sha256(n::text::bytea), '' ORDER BY n) FROM generate_series(1, 32000) AS n), NULL, NULL),
  (3, NULL, NULL, repeat(E'a line\twith a tab\n', 60000), NULL),
  (4, NULL, NULL, NULL, (SELECT jsonb_object_agg('key ' || n, jsonb_build_array(n, md5(n::text), repeat('x', n % 60))) FROM generate_series(1, 8000) AS n)),
  (5, 'x', 'x', 'x', '{}');
