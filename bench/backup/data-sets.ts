import { TextSource } from './text.ts';

/** Tables of one kind, in a schema of their own. */
export interface DataSet {
  /** Name of its schema. */
  schema: string;
  /** What it stands for. */
  title: string;
  tables: readonly DataTable[];
}

export interface DataTable {
  name: string;
  /** Columns and constraints, as `CREATE TABLE` takes them. */
  definition: string;
  /** Columns of further indexes, one list each: they make no difference to a backup, but to a restore. */
  indexes: readonly string[];
  /** Its rows as COPY text, each with its newline. */
  rows(): Iterable<string>;
}

const statuses = ['draft', 'published', 'published', 'published', 'archived'] as const;
const kinds = ['page_view', 'page_view', 'sign_in', 'purchase', 'comment', 'share'] as const;
const mb = 1_000_000;

/**
 * The data of the backup and restore suites.
 *
 * @param sizeMb COPY text of the wide table, in MB; the others are sized after it.
 */
export function dataSets(sizeMb: number): DataSet[] {
  const small = Math.min(200, Math.max(20, Math.round((sizeMb * 200) / 240)));
  return [
    {
      schema: 'wide',
      title: 'one wide table of text',
      tables: [
        {
          name: 'contents',
          definition: `id bigint PRIMARY KEY, tenant_id uuid NOT NULL, author_id uuid NOT NULL, title text NOT NULL,
            slug text NOT NULL, status text NOT NULL, tags text[] NOT NULL, body text NOT NULL, metadata jsonb NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL`,
          indexes: ['tenant_id, created_at'],
          rows: () => upTo(sizeMb * mb, contents(new TextSource(1))),
        },
      ],
    },
    {
      schema: 'random_keys',
      title: 'one table with random uuid keys',
      tables: [
        {
          name: 'events',
          definition: `id uuid PRIMARY KEY, tenant_id uuid NOT NULL, actor_id uuid NOT NULL, kind text NOT NULL,
            amount numeric(12, 2) NOT NULL, payload jsonb NOT NULL, occurred_at timestamptz NOT NULL`,
          indexes: ['tenant_id, occurred_at'],
          rows: () => upTo((sizeMb * mb) / 3, events(new TextSource(2))),
        },
      ],
    },
    {
      schema: 'many_small',
      title: `${small} small tables`,
      tables: Array.from({ length: small }, (_, index) => ({
        name: `settings_${String(index).padStart(3, '0')}`,
        definition: 'key text PRIMARY KEY, value text NOT NULL, changed_at timestamptz NOT NULL',
        indexes: [],
        rows: () => upTo(30_000, settings(new TextSource(index + 3))),
      })),
    },
  ];
}

function* upTo(bytes: number, rows: Iterable<string>): Generator<string> {
  let written = 0;
  for (const row of rows) {
    yield row;
    // The rows are ASCII.
    written += row.length;
    if (written >= bytes) return;
  }
}

function* contents(text: TextSource): Generator<string> {
  const tenants = Array.from({ length: 50 }, () => text.uuid());
  const authors = Array.from({ length: 2000 }, () => text.uuid());
  for (let id = 1; ; id++) {
    const title = text.words(3 + text.below(7));
    const created = text.moment();
    yield `${[
      id,
      tenants[text.below(tenants.length)],
      authors[text.below(authors.length)],
      title,
      `${title.replaceAll(' ', '-')}-${id}`,
      text.pick(statuses),
      `{${text.words(1 + text.below(4)).replaceAll(' ', ',')}}`,
      text.prose(300 + text.below(1600)),
      JSON.stringify({ views: text.below(100_000), language: 'en', featured: text.below(10) === 0 }),
      created,
      created,
    ].join('\t')}\n`;
  }
}

function* events(text: TextSource): Generator<string> {
  const tenants = Array.from({ length: 50 }, () => text.uuid());
  for (;;) {
    yield `${[
      text.uuid(),
      tenants[text.below(tenants.length)],
      text.uuid(),
      text.pick(kinds),
      (text.below(1_000_000) / 100).toFixed(2),
      JSON.stringify({
        path: `/${text.words(2).replace(' ', '/')}`,
        ms: text.below(3000),
        agent: text.below(40),
      }),
      text.moment(),
    ].join('\t')}\n`;
  }
}

function* settings(text: TextSource): Generator<string> {
  for (let key = 1; ; key++) {
    yield `${text.words(2).replace(' ', '.')}.${key}\t${text.prose(60)}\t${text.moment()}\n`;
  }
}
