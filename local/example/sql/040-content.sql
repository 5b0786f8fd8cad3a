-- What tenants publish: 10 000 contents, 15 000 revisions, media in two generations of a table.

CREATE TABLE content.contents (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  author_id bigint NOT NULL,
  state content.state NOT NULL DEFAULT 'draft',
  title text NOT NULL,
  legacy_reference integer,
  body text,
  tags text[] NOT NULL DEFAULT '{}',
  attributes jsonb,
  search tsvector GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || coalesce(body, ''))) STORED,
  rating numeric(3, 2) CHECK (rating BETWEEN 0 AND 5),
  embargo tstzrange,
  also_legacy text DEFAULT 'gone',
  published_at timestamptz,
  CONSTRAINT published_has_a_time CHECK (state <> 'published' OR published_at IS NOT NULL)
);

INSERT INTO content.contents (id, tenant_id, author_id, state, title, legacy_reference, body, tags, attributes, rating, embargo, published_at)
SELECT
  pg_temp.id(n, 'content'),
  pg_temp.id(1 + (n - 1) % 200, 'tenant'),
  1 + (n - 1) % 8000,
  (ARRAY['draft', 'review', 'published', 'archived']::content.state[])[1 + n % 4],
  initcap(pg_temp.words(n, 'title', 4)),
  n,
  CASE WHEN n % 11 > 0 THEN repeat(pg_temp.words(n, 'body', 8) || E'.\n', 1 + n % 4) END,
  ARRAY[pg_temp.words(n, 'tag', 1), 'topic-' || n % 50],
  CASE WHEN n % 5 > 0 THEN jsonb_build_object('words', n % 500, 'source', pg_temp.id(n, 'source'), 'score', (n % 1000) / 8.0) END,
  round((pg_temp.hash(n, 'rating') % 501) / 100.0, 2),
  CASE n % 10 WHEN 0 THEN 'empty'::tstzrange WHEN 1 THEN tstzrange(NULL, timestamptz '2026-03-01 00:00:00+00') END,
  CASE WHEN n % 4 IN (2, 3) THEN pg_temp.moment(n, 'published') END
FROM generate_series(1, 10000) AS n;

ALTER TABLE content.contents
  ADD FOREIGN KEY (tenant_id) REFERENCES platform.tenants ON DELETE CASCADE,
  ADD FOREIGN KEY (author_id) REFERENCES platform.users;

-- Columns that are gone still have their places in every row.
ALTER TABLE content.contents DROP COLUMN legacy_reference, DROP COLUMN also_legacy;
ALTER TABLE content.contents ADD COLUMN reading_minutes integer NOT NULL DEFAULT 3;

CREATE INDEX contents_by_attribute ON content.contents USING gin (attributes jsonb_path_ops);
CREATE INDEX contents_search ON content.contents USING gin (search);
CREATE INDEX contents_published ON content.contents (tenant_id, published_at DESC) INCLUDE (title) WHERE state = 'published';
CREATE STATISTICS content.contents_by_tenant (dependencies) ON tenant_id, author_id FROM content.contents;

CREATE TABLE content.revisions (
  content_id uuid NOT NULL,
  number integer NOT NULL,
  editor_id bigint,
  patch text NOT NULL,
  PRIMARY KEY (content_id, number)
);
INSERT INTO content.revisions
SELECT pg_temp.id(1 + (n - 1) % 10000, 'content'), 1 + (n - 1) / 10000, CASE WHEN n % 13 > 0 THEN 1 + n % 8000 END,
  format(E'@@ -%s,%s @@\n-%s\n+%s', n % 90, n % 7, pg_temp.words(n, 'old', 3), pg_temp.words(n, 'new', 3))
FROM generate_series(1, 15000) AS n;
ALTER TABLE content.revisions
  ADD FOREIGN KEY (content_id) REFERENCES content.contents ON DELETE CASCADE,
  ADD FOREIGN KEY (editor_id) REFERENCES platform.users ON DELETE SET NULL;

-- A child table by inheritance: reading the parent shows the child's rows as well.
CREATE TABLE content.media (id integer PRIMARY KEY, path text NOT NULL, size_bytes bigint CHECK (size_bytes > 0));
CREATE TABLE content.videos (duration interval, PRIMARY KEY (id)) INHERITS (content.media);
INSERT INTO content.media SELECT n, '/media/' || n || '.webp', 1 + pg_temp.hash(n, 'size') % 1000000 FROM generate_series(1, 500) AS n;
INSERT INTO content.videos SELECT n, '/media/' || n || '.mp4', 1 + pg_temp.hash(n, 'size') % 100000000, n * interval '1.5 seconds' FROM generate_series(501, 700) AS n;

-- No key, and rows that are equal.
CREATE TABLE content.votes (content_number integer, stars smallint);
INSERT INTO content.votes SELECT n % 300, n % 6 FROM generate_series(1, 3000) AS n;

CREATE VIEW content.published WITH (security_invoker = true) AS
  SELECT c.id, c.title, u.full_name AS author, c.published_at
  FROM content.contents c JOIN platform.users u ON u.id = c.author_id
  WHERE c.state = 'published';

CREATE MATERIALIZED VIEW content.topics AS
  SELECT tag, count(*) AS contents, avg(rating)::numeric(4, 3) AS rating
  FROM content.contents, unnest(tags) AS tag GROUP BY tag ORDER BY tag;
CREATE UNIQUE INDEX topics_tag ON content.topics (tag);

CREATE FUNCTION content.count_of(tenant uuid, wanted content.state DEFAULT 'published') RETURNS bigint
  LANGUAGE sql STABLE
  BEGIN ATOMIC
    SELECT count(*) FROM content.contents WHERE tenant_id = tenant AND state = wanted;
  END;

CREATE PROCEDURE content.archive(before timestamptz) LANGUAGE plpgsql AS $$
BEGIN
  UPDATE content.contents SET state = 'archived' WHERE state = 'published' AND published_at < before;
END $$;
