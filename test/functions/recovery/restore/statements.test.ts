import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitDump } from '../../../../functions/recovery/restore/engine/statements.ts';

const comment = (name: string, type = 'TABLE', schema = 'public', owner = 'o') =>
  `--\n-- Name: ${name}; Type: ${type}; Schema: ${schema}; Owner: ${owner}\n--\n\n`;

const statementsOf = (text: string) => splitDump(text).flatMap(({ statements }) => statements);

/** Bodies that end a statement, begin an object or open a quote, if they are not taken for what they are. */
const hostile = [
  ';',
  "it''s; fine",
  '$$',
  '$body$ ; $body$',
  `\n${comment('evil')}`,
  '/* ;',
  '*/',
  '--',
  '"',
  '\\',
  '\n\\restrict x\n',
  'BEGIN ATOMIC',
  'CASE',
  'END',
];
const body = fc.array(fc.constantFrom(...hostile, 'a', ' '), { maxLength: 8 }).map((parts) => parts.join(''));

const statement = fc.oneof(
  body.map((text) => `COMMENT ON TABLE t IS '${text.replaceAll("'", "''")}';`),
  body.map((text) => `SELECT E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}';`),
  body.map((text) => `CREATE TABLE "${text.replaceAll('"', '""')}x" (a int);`),
  body.map((text) => `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $q1$${text}$q1$;`),
  body.map((text) => `SELECT 1 /* /* */ ${text.replace(/\/\*|\*\//g, '')} */ + 2;`),
  fc.constantFrom(
    'CREATE RULE r AS ON INSERT TO t DO INSTEAD (DELETE FROM t; SELECT 1;);',
    'CREATE FUNCTION f(integer) RETURNS integer\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT CASE WHEN $1 > 0 THEN CASE WHEN true THEN 1 END ELSE 2 END;\n SELECT 3;\nEND;',
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES ('END;'); END;",
    'CREATE TABLE begin_case_end (a int);',
    'ALTER TABLE t ADD CONSTRAINT c CHECK (CASE WHEN a THEN b END);',
    'SELECT a$b$c;',
  ),
);

describe('splitting a dump', () => {
  it('gives back the objects and statements that it was joined of', () => {
    const entry = fc.record({
      name: fc.constantFrom('t', 'f(integer)', 'a; Type: b', 't "quoted" x', 'ünï'),
      type: fc.constantFrom('TABLE', 'FK CONSTRAINT', 'ACL'),
      schema: fc.constantFrom('public', '-', 'with space'),
      owner: fc.constantFrom('o', '-', ''),
      statements: fc.array(statement, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        const text = entries.map(
          ({ name, type, schema, owner, statements }) =>
            comment(name, type, schema, owner) + statements.map((sql) => `${sql}\n\n`).join(''),
        );
        const found = splitDump(`--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n${text.join('')}`);
        expect(found.map(({ index, ...rest }) => rest)).toEqual(entries);
        expect(found.map(({ index }) => index)).toEqual(entries.map((_, index) => index + 1));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps what comes before the first object, and drops what only psql knows', () => {
    const text = `\\restrict x\nSET a = 1;\n${comment('t')}CREATE TABLE t ();\n\\unrestrict x\n`;
    expect(splitDump(text)).toEqual([
      { index: 0, name: '', type: '', schema: '-', owner: '', statements: ['SET a = 1;'] },
      {
        index: 1,
        name: 't',
        type: 'TABLE',
        schema: 'public',
        owner: 'o',
        statements: ['CREATE TABLE t ();'],
      },
    ]);
  });

  it('reads the tablespace that pg_dump may add', () => {
    const text = '-- Name: t; Type: TABLE; Schema: s; Owner: o; Tablespace: fast\nSELECT 1;';
    expect(splitDump(text)).toMatchObject([{ name: 't', owner: 'o' }]);
  });

  it('says so when the text ends too early', () => {
    expect(() => statementsOf("SELECT 'open")).toThrow('ends within a statement');
    expect(() => statementsOf('CREATE FUNCTION f() AS $$ SELECT 1;')).toThrow('ends within a statement');
  });

  it('takes a string of megabytes in its stride', () => {
    const long = `SELECT '${"x''".repeat(1_000_000)}';`;
    expect(statementsOf(long)).toEqual([long]);
  });
});
