import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Assertion } from '../../../../functions/recovery/drill/assertion.ts';
import { assertionsCheck } from '../../../../functions/recovery/drill/checks/assertions.ts';
import type { Check } from '../../../../functions/recovery/drill/checks/check.ts';
import { foreignKeys } from '../../../../functions/recovery/drill/checks/foreign-keys.ts';
import { indexes } from '../../../../functions/recovery/drill/checks/indexes.ts';
import { runChecks } from '../../../../functions/recovery/drill/checks/run-checks.ts';
import { sequences } from '../../../../functions/recovery/drill/checks/sequences.ts';
import type { CheckNote } from '../../../../functions/recovery/drill/drill-record.ts';
import { shardNameSchema } from '../../../../functions/recovery/ids.ts';
import { prepareSession } from '../../../../functions/recovery/snapshot/session.ts';
import { type Database, startDatabase } from '../support/world.ts';

const shard = shardNameSchema.parse('shard-a');
let database: Database;

beforeAll(async () => {
  database = await startDatabase();
  await database.create('');
});
afterAll(async () => {
  await database?.close();
});

interface Options {
  readonly checks?: readonly Check[];
  readonly assertions?: readonly Assertion[];
  readonly accepted?: readonly string[];
  readonly notes?: readonly CheckNote[];
  /** How many looks there is time for. */
  readonly looks?: number;
}

/** Runs checks as a drill does, on a database that is left as it is. */
async function check(name: string, options: Options = {}) {
  const { assertions = [], accepted = [], notes = [], looks = Number.POSITIVE_INFINITY } = options;
  const timeoutSeconds = 1;
  const reader = async () => {
    const client = await database.asBackup(name);
    await prepareSession(client);
    return client;
  };
  const client = await database.asRestore(name);
  await prepareSession(client);
  const kept = new Map<string, CheckNote>(notes.map((note) => [note.check, note]));
  let now = 0;
  try {
    const outcome = await runChecks(
      {
        client,
        // One tick for each look at the clock: one before each subject, and two around each check.
        clock: { now: () => now++, sleep: async () => undefined },
        deadline: looks,
        save: async (note) => void kept.set(note.check, note),
      },
      {
        ...{ shard, accepted, timeoutSeconds, notes },
        checks: options.checks ?? [
          ...[foreignKeys, indexes, sequences],
          assertionsCheck(assertions, reader, timeoutSeconds),
        ],
      },
    );
    return { outcome, notes: [...kept.values()] };
  } finally {
    await client.end();
  }
}

const problemsOf = (notes: readonly CheckNote[]) =>
  notes.flatMap(({ findings }) => findings.map(({ object, problem }) => [object, problem]));

describe('the checks of a scratch database', () => {
  it('find nothing where all is well, and say how much they have looked at', async () => {
    const name = await database.create(
      `CREATE TABLE a (id bigserial PRIMARY KEY, other int UNIQUE);
       CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a bigint REFERENCES a);
       INSERT INTO a (other) SELECT generate_series(1, 10);
       INSERT INTO b (a) SELECT id FROM a;`,
    );
    const holds: Assertion = { name: 'ten', sql: 'SELECT count(*) FROM public.a', expect: { value: 10 } };
    const { outcome, notes } = await check(name, { assertions: [holds] });
    expect({ outcome, problems: problemsOf(notes) }).toEqual({ outcome: 'done', problems: [] });
    const done = Object.fromEntries(notes.map((note) => [note.check, note.done]));
    // The bootstrap has three tables of its own there.
    expect(done).toEqual({ 'foreign-keys': 1, indexes: 6, sequences: 2, assertions: 1 });
    expect(notes.every(({ finishedAt }) => finishedAt !== undefined)).toBe(true);
  });

  it('find a foreign key that is not valid, and not one that merely was not validated', async () => {
    const name = await database.create(
      `CREATE TABLE parent (a int, b text, PRIMARY KEY (a, b));
       CREATE TABLE child (a int, b text, secret text);
       CREATE TABLE parted (a int, b text) PARTITION BY LIST (a);
       CREATE TABLE part PARTITION OF parted DEFAULT;
       INSERT INTO parent VALUES (1, 'x');
       INSERT INTO child VALUES (1, 'x', 'k'), (2, NULL, 'k');
       INSERT INTO parted VALUES (3, 'y');
       ALTER TABLE child ADD CONSTRAINT good FOREIGN KEY (a, b) REFERENCES parent NOT VALID;
       ALTER TABLE child ADD CONSTRAINT whole FOREIGN KEY (a, b) REFERENCES parent MATCH FULL NOT VALID;
       ALTER TABLE child ADD CONSTRAINT promised FOREIGN KEY (a, b) REFERENCES parent MATCH FULL NOT ENFORCED;
       ALTER TABLE parted ADD CONSTRAINT dangling FOREIGN KEY (a, b) REFERENCES parent NOT VALID;`,
    );
    const { notes } = await check(name, { checks: [foreignKeys] });
    expect(problemsOf(notes)).toEqual([
      ['"whole" of "public"."child"', expect.stringContaining('"public"."parent"')],
      ['"dangling" of "public"."parted"', expect.stringContaining('not valid')],
    ]);
    expect(JSON.stringify(notes)).not.toContain('"k"');
  });

  it('find an index that was never finished', async () => {
    const name = await database.create('CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1);');
    const owner = await database.asOwner(name);
    await expect(owner.query('CREATE UNIQUE INDEX CONCURRENTLY once ON t (id)')).rejects.toThrow('once');
    await owner.end();
    const { notes } = await check(name, { checks: [indexes] });
    expect(problemsOf(notes)).toEqual([['"public"."once"', expect.stringContaining('not valid')]]);
  });

  it('find sequences whose next value is taken, and leave alone those that owe nothing', async () => {
    const name = await database.create(
      `CREATE TABLE behind (id serial); INSERT INTO behind VALUES (7);
       CREATE TABLE fresh (id serial); INSERT INTO fresh VALUES (1);
       CREATE TABLE level (id serial); INSERT INTO level VALUES (7); SELECT setval('level_id_seq', 7);
       CREATE TABLE down (id int GENERATED BY DEFAULT AS IDENTITY (INCREMENT -1)); INSERT INTO down VALUES (-5);
       CREATE TABLE round (id int GENERATED BY DEFAULT AS IDENTITY (CYCLE)); INSERT INTO round VALUES (5);
       CREATE TABLE owned (id int); INSERT INTO owned VALUES (5); CREATE SEQUENCE unused OWNED BY owned.id;`,
    );
    const { notes } = await check(name, { checks: [sequences] });
    expect(problemsOf(notes).map(([object]) => object)).toEqual([
      '"public"."behind_id_seq"',
      '"public"."down_id_seq"',
      '"public"."fresh_id_seq"',
    ]);
  });

  it('note what an accepted object is about, and do not count it', async () => {
    const name = await database.create('CREATE TABLE t (id serial); INSERT INTO t VALUES (7);');
    const { notes } = await check(name, { checks: [sequences], accepted: ['"public"."t_id_seq"'] });
    expect(notes).toEqual([
      expect.objectContaining({ findingsTotal: 1, refused: 0, findings: [expect.anything()] }),
    ]);
    expect(notes[0]?.findings[0]?.accepted).toBe(true);
  });

  it('go on where time ran out, and find everything once', async () => {
    const name = await database.create(
      Array.from(
        { length: 5 },
        (_, n) => `CREATE TABLE t${n} (id serial); INSERT INTO t${n} VALUES (7);`,
      ).join('\n'),
    );
    let notes: readonly CheckNote[] = [];
    const outcomes: string[] = [];
    while (outcomes.at(-1) !== 'done' && outcomes.length < 10) {
      const run = await check(name, { checks: [sequences], notes, looks: 3 });
      outcomes.push(run.outcome);
      notes = run.notes;
    }
    expect(outcomes).toEqual(['again', 'again', 'done']);
    expect(problemsOf(notes).map(([object]) => object)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `"public"."t${n}_id_seq"`),
    );
    expect(notes).toEqual([expect.objectContaining({ done: 5, findingsTotal: 5, refused: 5 })]);
  });
});

describe('an assertion', () => {
  const sql = (text: string, expected: Assertion['expect'] = 'no-rows'): Assertion => ({
    name: 'rule',
    sql: text,
    expect: expected,
  });
  let name: string;
  const problems = async (assertion: Assertion) =>
    problemsOf((await check(name, { assertions: [assertion] })).notes);

  beforeAll(async () => {
    name = await database.create(
      `CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'first value'), (2, 'second value');
       CREATE SEQUENCE s;`,
    );
  });

  it.each([
    sql('SELECT FROM public.t WHERE id > 2'),
    sql('SELECT count(*) = 2 FROM public.t;', 'true'),
    sql('SELECT max(id) FROM public.t', { value: 2 }),
    sql('SELECT name FROM public.t WHERE id = 1 -- the first', { value: 'first value' }),
    sql('VALUES (false)', { value: false }),
    sql('WITH x AS (SELECT 1.50 AS v) TABLE x', { value: 1.5 }),
  ])('that holds is no finding: $sql', async (assertion) => {
    expect(await problems(assertion)).toEqual([]);
  });

  it.each([
    [sql('SELECT name, id FROM public.t ORDER BY id'), /^Expected no rows; .* "first value"\.$/],
    [sql('SELECT count(*) > 2 FROM public.t', 'true'), /^Expected true; it is "f"\.$/],
    [sql('SELECT true FROM public.t', 'true'), /there are more/],
    [sql('SELECT max(id) FROM public.t WHERE id > 2', { value: 2 }), /it is NULL/],
    [sql('SELECT id FROM t'), /^PostgreSQL refused it: relation "t" does not exist/],
    [sql('SELECT pg_sleep(30)'), /^It took longer than 1 s/],
  ])('that does not hold is one, with no more than the first value: %j', async (assertion, problem) => {
    const found = await problems(assertion);
    expect(found).toEqual([['rule', expect.stringMatching(problem)]]);
    expect(JSON.stringify(found)).not.toContain('second value');
  });

  it.each([
    'DELETE FROM public.t',
    'DROP TABLE public.t',
    'WITH gone AS (DELETE FROM public.t RETURNING *) SELECT * FROM gone',
    'SELECT 1; DELETE FROM public.t',
    'SELECT 1; COMMIT; DELETE FROM public.t',
    "SELECT nextval('public.s')",
    "SELECT set_config('transaction_read_only', 'off', true)",
    'SELECT * FROM public.t FOR UPDATE',
    'SELECT lo_create(0)',
  ])('that would change something is refused: %s', async (text) => {
    expect(await problems(sql(text))).toEqual([['rule', expect.stringMatching(/^PostgreSQL refused it: /)]]);
    const owner = await database.asOwner(name);
    const { rows } = await owner.query('SELECT count(*) AS left, (SELECT is_called FROM s) AS called FROM t');
    await owner.end();
    expect(rows).toEqual([{ left: '2', called: false }]);
  });
});
