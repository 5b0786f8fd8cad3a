/** One object of a dump, with what pg_dump says of it in the comment above its statements. */
export interface DumpEntry {
  /** Position in the dump; the same whenever the same text is split. */
  readonly index: number;
  /** As in the comment, without quotes: `t`, `f(integer)`, `TABLE t`. Empty: statements before the first comment. */
  readonly name: string;
  /** pg_dump's kind of object: `TABLE`, `FK CONSTRAINT`, `ACL`, … */
  readonly type: string;
  /** `-`: in no schema. */
  readonly schema: string;
  /** `-` or empty: it has no owner. */
  readonly owner: string;
  /** Each with its semicolon, as it was written. */
  readonly statements: string[];
}

/** The comment above an object; names in it have no line ends. Only the last `; Type: ` ends the name. */
const header = /^-- Name: (.*); Type: ([A-Z -]+); Schema: (.*); Owner: (.*?)(?:; Tablespace: .*)?$/;

/** The lexical elements that can hide a semicolon, in PostgreSQL's rules with `standard_conforming_strings` on. */
const token = new RegExp(
  [
    /(?<space>\s+)/,
    /(?<comment>--[^\n]*)/,
    /(?<block>\/\*)/,
    /(?<escaped>[eE]'(?:[^'\\]+|\\[\s\S]|'')*')/,
    /(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/,
    // A doubled quote ends one string and begins the next: the same for whoever only looks for their end.
    /(?<quoted>'[^']*')/,
    /(?<name>"(?:[^"]|"")*")/,
    /(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/,
    /(?<meta>\\[^\n]*)/,
    /(?<other>\$\d+|\d[\w.]*|[\s\S])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'y',
);

/** What the splitter knows of the statement that it is in. */
interface Open {
  start: number;
  parentheses: number;
  /** Depth of `BEGIN ATOMIC … END`, and of `CASE … END` inside of it. */
  begins: number;
  /** Its first words, by which psql knows a function. */
  words: string[];
}

/**
 * Splits what pg_dump wrote (plain format) into objects and statements. Statements end where psql would end them:
 * strings, quoted names, dollar quotes, nested comments, parentheses and the bodies of SQL-standard functions hide
 * semicolons, and a comment counts as pg_dump's only between statements. Commands of psql (`\restrict`) are left out.
 *
 * @throws Error when the text ends within a statement.
 */
export function splitDump(text: string): DumpEntry[] {
  let entry: DumpEntry = { index: 0, name: '', type: '', schema: '-', owner: '', statements: [] };
  const entries = [entry];
  let open: Open | undefined;
  let at = 0;
  while (at < text.length) {
    token.lastIndex = at;
    const groups = token.exec(text)?.groups ?? {};
    const begin = at;
    at = token.lastIndex;
    if (groups.block !== undefined) at = endOfComment(text, begin);
    const isSilent = groups.space !== undefined || groups.comment !== undefined || groups.block !== undefined;
    if (open === undefined) {
      const found = groups.comment === undefined ? undefined : readHeader(groups.comment);
      if (found !== undefined) {
        entry = { index: entries.length, ...found, statements: [] };
        entries.push(entry);
      }
      if (isSilent || groups.meta !== undefined) continue;
      open = { start: begin, parentheses: 0, begins: 0, words: [] };
    } else if (isSilent) continue;
    if (groups.dollar !== undefined) at = endOfDollarQuote(text, at, groups.dollar);
    else if (groups.word !== undefined) countBegins(open, groups.word.toLowerCase());
    else if (groups.other === '(') open.parentheses++;
    else if (groups.other === ')') open.parentheses--;
    else if (groups.other === ';' && open.parentheses <= 0 && open.begins === 0) {
      entry.statements.push(text.slice(open.start, at));
      open = undefined;
    }
  }
  if (open !== undefined)
    throw new Error(`The DDL ends within a statement: ${text.slice(open.start, open.start + 100)}`);
  return entries.filter(({ statements }) => statements.length > 0);
}

function readHeader(comment: string): Pick<DumpEntry, 'name' | 'type' | 'schema' | 'owner'> | undefined {
  const [, name, type, schema, owner] = header.exec(comment) ?? [];
  if (name === undefined || type === undefined || schema === undefined || owner === undefined)
    return undefined;
  return { name, type, schema, owner };
}

/** Counts as psql does: only in CREATE [OR REPLACE] FUNCTION or PROCEDURE, and not within parentheses. */
function countBegins(open: Open, word: string): void {
  if (open.words.length < 4) open.words.push(word);
  if (open.parentheses > 0 || !/^create (or replace )?(function|procedure)/.test(open.words.join(' ')))
    return;
  if (word === 'begin') open.begins++;
  else if (word === 'case' && open.begins > 0) open.begins++;
  else if (word === 'end' && open.begins > 0) open.begins--;
}

function endOfComment(text: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}

function endOfDollarQuote(text: string, start: number, quote: string): number {
  const end = text.indexOf(quote, start);
  return end === -1 ? text.length : end + quote.length;
}
