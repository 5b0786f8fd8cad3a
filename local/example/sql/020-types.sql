-- Schemas, and the types that the platform's tables share.

CREATE SCHEMA platform;
CREATE SCHEMA content;
CREATE SCHEMA activity;
CREATE SCHEMA billing;
COMMENT ON SCHEMA platform IS 'Tenants, their users and settings.';
COMMENT ON SCHEMA content IS 'What tenants publish.';
COMMENT ON SCHEMA activity IS 'What users do. Large, and only ever appended to.';
COMMENT ON SCHEMA billing IS 'Who owes what.';

CREATE TYPE platform.plan AS ENUM ('free', 'starter', 'professional', 'enterprise');
CREATE TYPE platform.address AS (street text, city text, postal_code text, country char(2));
CREATE TYPE content.state AS ENUM ('draft', 'in review', 'published', 'archived');
-- Renamed and extended, as enums are in the course of the years.
ALTER TYPE content.state RENAME VALUE 'in review' TO 'review';
ALTER TYPE content.state ADD VALUE 'deleted' AFTER 'archived';
CREATE TYPE billing.price_range AS RANGE (subtype = numeric);

CREATE COLLATION platform.ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN platform.email AS text COLLATE platform.ignoring_case
  CONSTRAINT looks_like_an_address CHECK (VALUE LIKE '_%@_%');
CREATE DOMAIN billing.amount AS numeric(14, 2) DEFAULT 0 CHECK (VALUE >= 0);

-- The data are made of hashes of the shard's name: each shard always gets the same, and different ones.
CREATE FUNCTION pg_temp.hash(n bigint, purpose text) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN hashtextextended(current_setting('example.shard') || '/' || purpose, n) & 9223372036854775807;

-- All of a tenant lies on one shard: its id is the first one that falls into a slot of the shard.
CREATE TEMPORARY TABLE tenant_ids (n bigint PRIMARY KEY, id uuid NOT NULL);
INSERT INTO tenant_ids
SELECT n, (SELECT id FROM (
    SELECT md5(current_setting('example.shard') || '/tenant/' || n || CASE k WHEN 0 THEN '' ELSE '/' || k END)::uuid AS id
    FROM generate_series(0, 9999) AS k) AS candidate
  WHERE uuid_hash_extended(id, 0) & 4095
    BETWEEN coalesce(nullif(current_setting('example.first_slot', true), '')::int, 0)
        AND coalesce(nullif(current_setting('example.last_slot', true), '')::int, 4095) LIMIT 1)
FROM generate_series(1, 200) AS n;

CREATE FUNCTION pg_temp.id(n bigint, purpose text) RETURNS uuid
  LANGUAGE sql STABLE PARALLEL RESTRICTED
  RETURN CASE purpose
    WHEN 'tenant' THEN (SELECT t.id FROM pg_temp.tenant_ids AS t WHERE t.n = id.n)
    ELSE md5(current_setting('example.shard') || '/' || purpose || '/' || n)::uuid
  END;

CREATE FUNCTION pg_temp.choose(n bigint, purpose text, choices text[]) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN choices[1 + pg_temp.hash(n, purpose) % cardinality(choices)];

-- A moment of the first half of 2026, to the microsecond.
CREATE FUNCTION pg_temp.moment(n bigint, purpose text) RETURNS timestamptz
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN timestamptz '2026-01-01 00:00:00+00' + (pg_temp.hash(n, purpose) % 15638400000000) * interval '1 microsecond';

-- Some words in a row; the same ones are often found together, as in real texts.
CREATE FUNCTION pg_temp.words(n bigint, purpose text, how_many int) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (
    SELECT array_to_string(words[start : start + how_many - 1], ' ')
    FROM (SELECT 1 + pg_temp.hash(n, purpose)::int8 % 36 AS start, string_to_array(
      'harbour lantern quiet river ember Größe naïve meadow signal anchor drift compass crème orchard granite whistle '
      'copper tide пример 例え willow beacon amber thistle cobalt ravine saffron cinder juniper mosaic plinth gable '
      'fathom ledger quarry hollow prairie estuary tundra canyon atlas breeze cedar delta echo fjord glacier heron', ' ') AS words));
