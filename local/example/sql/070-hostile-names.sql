-- Names that a careless program breaks on. Needs nothing of the other files.

CREATE SCHEMA "we""ird schema";

CREATE TABLE "we""ird schema"."täble ✓ ; drop" (
  "select" integer PRIMARY KEY,
  "order by" text,
  "quo""te'd" text DEFAULT 'it''s',
  "line
break" text,
  "back\slash	and tab" text,
  "名前 🚀" text,
  " leading and trailing " text,
  "percent%20 %s $1 ${x} {{y}}" text
);
COMMENT ON TABLE "we""ird schema"."täble ✓ ; drop" IS 'It''s "quoted"; -- DROP TABLE x;
and goes on in the next line \.';
COMMENT ON COLUMN "we""ird schema"."täble ✓ ; drop"."select" IS E'A tab\there, a backslash \\ there';
INSERT INTO "we""ird schema"."täble ✓ ; drop"
SELECT n, 'o' || n, 'q' || n, E'l\n' || n, 'b\' || n, '名' || n, ' ' || n || ' ', '%' || n FROM generate_series(1, 50) AS n;

-- Equal but for their case, and equal where names are cut short or cleaned up.
CREATE TABLE "we""ird schema"."Users" (id integer PRIMARY KEY, name text);
CREATE TABLE "we""ird schema".users (id integer PRIMARY KEY, name text);
CREATE TABLE "we""ird schema"."users " (id integer PRIMARY KEY, name text);
CREATE TABLE "we""ird schema"."a/b" (id integer);
CREATE TABLE "we""ird schema"."a_b" (id integer);
CREATE TABLE "we""ird schema"."../../etc/passwd" (id integer);
CREATE TABLE "we""ird schema"."." (id integer);
CREATE TABLE "we""ird schema"."sixty-three bytes äöü äöü äöü äöü äöü äöü äöü end" (id integer);
INSERT INTO "we""ird schema"."Users" VALUES (1, 'upper');
INSERT INTO "we""ird schema".users VALUES (1, 'lower');
INSERT INTO "we""ird schema"."users " VALUES (1, 'space');
INSERT INTO "we""ird schema"."a/b" VALUES (1);
INSERT INTO "we""ird schema"."a_b" VALUES (2);
INSERT INTO "we""ird schema"."../../etc/passwd" VALUES (3);
INSERT INTO "we""ird schema"."." VALUES (4);
INSERT INTO "we""ird schema"."sixty-three bytes äöü äöü äöü äöü äöü äöü äöü end" VALUES (5);

CREATE TYPE "we""ird schema"."Enum Type" AS ENUM ('a''b', 'c"d', 'e f', 'g,h', '{i}', 'ü', '');
CREATE TABLE "we""ird schema"."table" ("primary" "we""ird schema"."Enum Type", "array" "we""ird schema"."Enum Type"[]);
INSERT INTO "we""ird schema"."table" VALUES ('a''b', ARRAY['c"d', 'e f', 'g,h', '{i}', 'ü', '']::"we""ird schema"."Enum Type"[]), (NULL, NULL), ('', '{}');

CREATE SEQUENCE "we""ird schema"."Seq ""uence";
SELECT setval('"we""ird schema"."Seq ""uence"', 4711, false);
CREATE VIEW "we""ird schema"."view; --" AS SELECT "select" AS "from" FROM "we""ird schema"."täble ✓ ; drop";
