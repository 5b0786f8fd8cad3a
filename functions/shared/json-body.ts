/** Deepest nesting of arrays and objects that a request body may have. */
export const maximumDepth = 32;

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  /** `message` completes a sentence about the body. */
  | { readonly ok: false; readonly message: string };

/** Parses JSON and says where it breaks, which V8's own message does only sometimes. */
export function parseJson(text: string): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const position = jsonErrorPosition(text) ?? text.length;
    const before = text.slice(0, position);
    const line = before.split('\n').length;
    const column = position - before.lastIndexOf('\n');
    const what = position >= text.length ? 'ends too early' : 'is not JSON';
    return { ok: false, message: `${what} at position ${position} (line ${line}, column ${column})` };
  }
  if (isDeeperThan(value, maximumDepth)) {
    return { ok: false, message: `is nested deeper than ${maximumDepth} levels` };
  }
  return { ok: true, value };
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

const token =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|((?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])))/y;

type Expectation = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'commaOrEnd' | 'nothing';

/** Index of the first character that no JSON text could have there, or `undefined` for valid JSON. */
export function jsonErrorPosition(text: string): number | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expectation = 'value';
  token.lastIndex = 0;
  let end = 0;
  for (;;) {
    const match = token.exec(text);
    if (match === null) {
      const rest = text.slice(end).search(/[^ \t\n\r]/);
      if (rest === -1) return expected === 'nothing' ? undefined : text.length;
      return end + rest;
    }
    const next = step(expected, match, open);
    if (next === undefined) return end + text.slice(end).search(/[^ \t\n\r]/);
    expected = next;
    end = token.lastIndex;
  }
}

/** What may follow the token, or `undefined` when the token may not be here. */
function step(expected: Expectation, match: RegExpExecArray, open: ('{' | '[')[]): Expectation | undefined {
  const [, punctuation, string] = match;
  const afterValue = (): Expectation => (open.length === 0 ? 'nothing' : 'commaOrEnd');
  if (punctuation === '{' || punctuation === '[') {
    if (expected !== 'value' && expected !== 'valueOrEnd') return undefined;
    open.push(punctuation);
    return punctuation === '{' ? 'keyOrEnd' : 'valueOrEnd';
  }
  if (punctuation === '}' || punctuation === ']') {
    const mayEnd =
      expected === 'commaOrEnd' || expected === (punctuation === '}' ? 'keyOrEnd' : 'valueOrEnd');
    if (!mayEnd || open.at(-1) !== (punctuation === '}' ? '{' : '[')) return undefined;
    open.pop();
    return afterValue();
  }
  if (punctuation === ',') {
    if (expected !== 'commaOrEnd') return undefined;
    return open.at(-1) === '{' ? 'key' : 'value';
  }
  if (punctuation === ':') return expected === 'colon' ? 'value' : undefined;
  if (string !== undefined && (expected === 'key' || expected === 'keyOrEnd')) return 'colon';
  return expected === 'value' || expected === 'valueOrEnd' ? afterValue() : undefined;
}
