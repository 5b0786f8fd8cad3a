-- Tenants and their users: 200 tenants, 8 000 users, 10 000 memberships.

CREATE TABLE platform.tenants (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  number integer GENERATED ALWAYS AS IDENTITY (START WITH 1000 INCREMENT BY 5),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9-]+$'),
  name text NOT NULL,
  plan platform.plan NOT NULL DEFAULT 'free',
  billing_address platform.address,
  features text[] NOT NULL DEFAULT '{}',
  settings jsonb NOT NULL DEFAULT '{}',
  allowed_networks cidr[],
  owner_id bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz
);

CREATE TABLE platform.users (
  id bigserial PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES platform.tenants ON DELETE CASCADE,
  email platform.email NOT NULL,
  first_name text NOT NULL,
  last_name text NOT NULL,
  full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED,
  initials text GENERATED ALWAYS AS (left(first_name, 1) || left(last_name, 1)) VIRTUAL,
  locale text COLLATE "C" NOT NULL DEFAULT 'en',
  last_address inet,
  session_length interval NOT NULL DEFAULT '8 hours',
  roles text[] NOT NULL DEFAULT ARRAY['member'],
  born date,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  UNIQUE (tenant_id, email)
);

-- A tenant is owned by one of its users, who belongs to the tenant: whoever inserts both needs the deferral.
ALTER TABLE platform.tenants ADD CONSTRAINT tenants_owner_fkey
  FOREIGN KEY (owner_id) REFERENCES platform.users DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE platform.memberships (
  user_id bigint NOT NULL,
  tenant_id uuid NOT NULL,
  since tstzrange NOT NULL,
  PRIMARY KEY (user_id, tenant_id)
);

-- Each tenant sees its own tokens only.
CREATE TABLE platform.api_tokens (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES platform.tenants ON DELETE CASCADE,
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  note text
);
ALTER TABLE platform.api_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tokens ON platform.api_tokens TO platform_app
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

CREATE FUNCTION platform.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER tenants_touch BEFORE UPDATE ON platform.tenants
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION platform.touch();

INSERT INTO platform.tenants
  (id, slug, name, plan, billing_address, features, settings, allowed_networks, owner_id, created_at)
SELECT
  pg_temp.id(n, 'tenant'),
  'tenant-' || n,
  initcap(pg_temp.words(n, 'tenant', 2)),
  pg_temp.choose(n, 'plan', enum_range(NULL::platform.plan)::text[])::platform.plan,
  CASE WHEN n % 7 > 0 THEN
    ROW(n || ' High Street, "East"', pg_temp.choose(n, 'city', ARRAY['Łódź', 'Bruges', 'São Paulo']), lpad(n::text, 5, '0'), 'XX')::platform.address
  END,
  (ARRAY['sso', 'audit', 'export', 'beta'])[1 : n % 5],
  jsonb_build_object('theme', pg_temp.choose(n, 'theme', ARRAY['dark', 'light']), 'limits', jsonb_build_object('seats', n * 3, 'ratio', n / 7.0), 'flags', jsonb_build_array(n % 2 = 0, NULL, n)),
  CASE WHEN n % 3 = 0 THEN ARRAY[set_masklen(('10.' || n % 256 || '.0.0')::cidr, 16), '2001:db8::/32'] END,
  n,
  pg_temp.moment(n, 'tenant')
FROM generate_series(1, 200) AS n;

INSERT INTO platform.users
  (tenant_id, email, first_name, last_name, locale, last_address, session_length, roles, born, created_at, deleted_at)
SELECT
  pg_temp.id(1 + (n - 1) % 200, 'tenant'),
  'User.' || n || '@example.' || pg_temp.choose(n, 'domain', ARRAY['com', 'org', 'net']),
  initcap(pg_temp.words(n, 'first', 1)),
  initcap(pg_temp.words(n, 'last', 1)),
  pg_temp.choose(n, 'locale', ARRAY['en', 'de', 'fr', 'ja']),
  CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN ('192.0.2.' || n % 256)::inet ELSE ('2001:db8::' || to_hex(n))::inet END,
  (1 + n % 24) * interval '1 hour' + (n % 3) * interval '1 month',
  CASE WHEN n <= 200 THEN ARRAY['owner', 'member'] ELSE ARRAY['member'] END,
  CASE WHEN n % 4 > 0 THEN date '1950-01-01' + (pg_temp.hash(n, 'born') % 20000)::int END,
  pg_temp.moment(n, 'user'),
  CASE WHEN n % 97 = 0 THEN timestamptz '2026-07-01 00:00:00+00' END
FROM generate_series(1, 8000) AS n;

INSERT INTO platform.memberships
SELECT 1 + (n - 1) % 8000, pg_temp.id(1 + (n - 1 + (n - 1) / 8000 * 17) % 200, 'tenant'),
  tstzrange(pg_temp.moment(n, 'member'), CASE WHEN n % 9 = 0 THEN timestamptz '2026-12-31 00:00:00+00' END, '[)')
FROM generate_series(1, 10000) AS n;

-- Keys that refer to others come after the rows: checking them all at once takes a tenth of the time.
ALTER TABLE platform.memberships
  ADD FOREIGN KEY (user_id) REFERENCES platform.users ON DELETE CASCADE,
  ADD FOREIGN KEY (tenant_id) REFERENCES platform.tenants ON DELETE CASCADE;

INSERT INTO platform.api_tokens
SELECT pg_temp.id(n, 'token'), pg_temp.id(1 + n % 200, 'tenant'), sha256(n::text::bytea), pg_temp.words(n, 'token', 3)
FROM generate_series(1, 500) AS n;
