-- Who owes what: prices, subscriptions that do not overlap, 5 000 invoices.

CREATE SEQUENCE billing.invoice_number AS integer START WITH 100000 INCREMENT BY 3 CACHE 10;

CREATE TABLE billing.prices (
  plan platform.plan NOT NULL,
  valid tstzrange NOT NULL,
  monthly billing.amount NOT NULL,
  accepted billing.price_range,
  PRIMARY KEY (plan, valid WITHOUT OVERLAPS)
);
INSERT INTO billing.prices
SELECT plan, tstzrange(start, start + interval '1 year'), amount, billing.price_range(amount * 0.5, amount, '[]')
FROM unnest(enum_range(NULL::platform.plan)) WITH ORDINALITY AS p (plan, position),
  LATERAL (VALUES (timestamptz '2025-01-01 00:00:00+00', (position - 1) * 19.99), (timestamptz '2026-01-01 00:00:00+00', (position - 1) * 24.99)) AS v (start, amount);

CREATE TABLE billing.subscriptions (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES platform.tenants,
  plan platform.plan NOT NULL,
  period daterange NOT NULL CHECK (NOT isempty(period)),
  CONSTRAINT one_at_a_time EXCLUDE USING gist (tenant_id WITH =, period WITH &&)
);
INSERT INTO billing.subscriptions (tenant_id, plan, period)
SELECT pg_temp.id(1 + (n - 1) % 200, 'tenant'), pg_temp.choose(n, 'subscription', ARRAY['free', 'starter'])::platform.plan,
  daterange(date '2025-01-01' + (n - 1) / 200 * 90, date '2025-01-01' + ((n - 1) / 200 + 1) * 90)
FROM generate_series(1, 800) AS n;

CREATE TABLE billing.invoices (
  number integer PRIMARY KEY DEFAULT nextval('billing.invoice_number'),
  tenant_id uuid NOT NULL,
  issued_on date NOT NULL,
  net billing.amount NOT NULL,
  tax_rate numeric(4, 3) NOT NULL DEFAULT 0.19,
  gross numeric(14, 2) GENERATED ALWAYS AS (round(net * (1 + tax_rate), 2)) STORED,
  paid_at timestamptz,
  lines jsonb NOT NULL,
  CONSTRAINT tax_is_a_rate CHECK (tax_rate >= 0 AND tax_rate < 1)
);
INSERT INTO billing.invoices (tenant_id, issued_on, net, tax_rate, paid_at, lines)
SELECT pg_temp.id(1 + n % 200, 'tenant'), date '2026-01-01' + n % 180, (pg_temp.hash(n, 'net') % 1000000) / 100.0,
  (ARRAY[0, 0.07, 0.19, 0.255])[1 + n % 4], CASE WHEN n % 6 > 0 THEN pg_temp.moment(n, 'paid') END,
  (SELECT jsonb_agg(jsonb_build_object('item', pg_temp.words(n * 10 + line, 'item', 2), 'amount', line * 1.5)) FROM generate_series(1, 1 + n % 4) AS line)
FROM generate_series(1, 5000) AS n;
ALTER TABLE billing.invoices ADD FOREIGN KEY (tenant_id) REFERENCES platform.tenants;
CREATE INDEX unpaid_invoices ON billing.invoices (tenant_id) WHERE paid_at IS NULL;
