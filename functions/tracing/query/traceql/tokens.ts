/** A query that is not understood; what it says is for whoever has written it. */
export class QueryError extends RangeError {}

export type Token =
  | { readonly type: 'symbol'; readonly text: string; readonly at: number }
  | { readonly type: 'name'; readonly text: string; readonly at: number }
  | { readonly type: 'text'; readonly value: string; readonly at: number }
  | { readonly type: 'number'; readonly value: number; readonly at: number }
  | { readonly type: 'durationMs'; readonly value: number; readonly at: number };

/** The most characters of a query. */
export const maximumQuery = 4_096;

const symbols = /^(?:&&|\|\||=~|!~|!=|>=|<=|>>|<<|[{}()=<>|~+*/^%,!])/;
const name = /^(?:\.|[A-Za-z_])[A-Za-z0-9_.:\-/]*/;
const quotedName = /^((?:[A-Za-z_]+)?\.)"((?:[^"\\]|\\.)*)"/;
const text = /^(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/s;
const number = /^-?(?:\d+(?:\.\d*)?|\.\d+)/;
const duration = /^-?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h|d))+/;
const milliseconds: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 },
};

/**
 * The words of a TraceQL query.
 *
 * @throws QueryError saying where one is none.
 */
export function tokensOf(query: string): Token[] {
  if (query.length > maximumQuery) throw new QueryError(`a query has at most ${maximumQuery} characters`);
  const tokens: Token[] = [];
  for (let at = 0; at < query.length; ) {
    const rest = query.slice(at);
    const space = /^\s+/.exec(rest)?.[0].length ?? 0;
    if (space > 0) {
      at += space;
      continue;
    }
    const { token, length } = tokenAt(rest, at);
    tokens.push(token);
    at += length;
  }
  return tokens;
}

function tokenAt(rest: string, at: number): { token: Token; length: number } {
  const quoted = quotedName.exec(rest);
  if (quoted !== null) {
    const whole = `${quoted[1] ?? ''}${unescaped(quoted[2] ?? '')}`;
    return { token: { type: 'name', text: whole, at }, length: quoted[0].length };
  }
  const string = text.exec(rest);
  if (string !== null) {
    const value = string[2] ?? unescaped(string[1] ?? '');
    return { token: { type: 'text', value, at }, length: string[0].length };
  }
  const span = duration.exec(rest)?.[0];
  if (span !== undefined) {
    return { token: { type: 'durationMs', value: durationMs(span) ?? 0, at }, length: span.length };
  }
  const digits = number.exec(rest)?.[0];
  if (digits !== undefined) {
    return { token: { type: 'number', value: Number(digits), at }, length: digits.length };
  }
  const word = name.exec(rest)?.[0];
  if (word !== undefined) return { token: { type: 'name', text: word, at }, length: word.length };
  const symbol = symbols.exec(rest)?.[0];
  if (symbol !== undefined) return { token: { type: 'symbol', text: symbol, at }, length: symbol.length };
  throw new QueryError(`at ${at + 1}: ${JSON.stringify(rest.slice(0, 10))} is not understood`);
}

/** A duration as Go writes it (`1h30m`, `1.5s`, `100us`), in milliseconds; undefined when it is none. */
export function durationMs(written: string): number | undefined {
  const parts = [...written.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== written.replace(/^-/, ''))
    return undefined;
  const sum = parts.reduce(
    (total, [, count, unit]) => total + Number(count) * (milliseconds[unit ?? ''] ?? 0),
    0,
  );
  return written.startsWith('-') ? -sum : sum;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const unescaped = (quoted: string) =>
  quoted.replace(/\\(.)/gs, (_, character: string) => escapes[character] ?? character);
