import { type JsonPath, parsePath } from './json-path.ts';

/** A parsed intrinsic function call, or an argument of one. */
export type Expression =
  /** `raw` still has its escapes: `States.Format` tells `\{` from `{`. */
  | { kind: 'text'; raw: string }
  | { kind: 'literal'; value: number | boolean | null }
  | { kind: 'path'; path: JsonPath }
  | { kind: 'call'; name: string; args: readonly Expression[] };

const cache = new Map<string, Expression>();

/**
 * Parses the value of a `….$` member that is not a path, for example
 * `States.Format('{}/{}', $.bucket, States.UUID())`.
 *
 * @throws Error that says where the text is not valid.
 */
export function parseIntrinsic(source: string): Expression {
  const known = cache.get(source);
  if (known !== undefined) return known;
  const parser = new Parser(source);
  const expression = parser.expression();
  if (expression.kind !== 'call' || !parser.atEnd()) {
    throw new Error(`${source} is neither a JSONPath nor an intrinsic function`);
  }
  cache.set(source, expression);
  return expression;
}

class Parser {
  readonly #source: string;
  #position = 0;

  constructor(source: string) {
    this.#source = source;
  }

  atEnd(): boolean {
    this.#take(/\s*/y);
    return this.#position === this.#source.length;
  }

  expression(): Expression {
    this.#take(/\s*/y);
    const text = this.#take(/'((?:[^'\\]|\\.)*)'/suy);
    if (text !== undefined) return { kind: 'text', raw: text.slice(1, -1) };
    const number = this.#take(/-?\d+(\.\d+)?([eE][+-]?\d+)?/y);
    if (number !== undefined) return { kind: 'literal', value: Number(number) };
    const path = this.#take(/\$(?:\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*\]|[^\s,)[])*/suy);
    if (path !== undefined) return { kind: 'path', path: parsePath(path) };
    const name = this.#take(/[A-Za-z][A-Za-z0-9.]*/y);
    if (name === undefined) throw this.#error();
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true' };
    if (name === 'null') return { kind: 'literal', value: null };
    return { kind: 'call', name, args: this.#args() };
  }

  #args(): Expression[] {
    this.#expect(/\s*\(/y);
    if (this.#take(/\s*\)/y) !== undefined) return [];
    const args = [this.expression()];
    while (this.#take(/\s*,/y) !== undefined) args.push(this.expression());
    this.#expect(/\s*\)/y);
    return args;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#source)?.[0];
    this.#position += match?.length ?? 0;
    return match;
  }

  #expect(pattern: RegExp): void {
    if (this.#take(pattern) === undefined) throw this.#error();
  }

  #error(): Error {
    return new Error(`${this.#source} is not a valid intrinsic function at position ${this.#position}`);
  }
}
