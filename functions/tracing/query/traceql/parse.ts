import { type Filter, type Operand, type Operator, operators } from '../filter/filter.ts';
import { Matcher } from '../filter/matcher.ts';
import { comparison, fieldOf } from './fields.ts';
import { QueryError, type Token, tokensOf } from './tokens.ts';

/** How deep brackets may lie in one another. */
const maximumDepth = 32;

/**
 * Reads a TraceQL query of the subset that is served: one set of spans, `{ … }`, whose conditions are joined by `&&` and `||` and
 * grouped by brackets; docs/operations/tracing.md lists the fields and operators.
 *
 * @throws QueryError saying what is not understood, or not served.
 */
export function parseTraceQl(query: string): Filter {
  const words = new Words(tokensOf(query));
  words.expect('{');
  let filter: Filter = { all: [] };
  if (!words.takes('}')) {
    filter = conditions(words, 0);
    words.expect('}');
  }
  const rest = words.next();
  if (rest !== undefined) throw new QueryError(notServed(rest));
  try {
    new Matcher(filter);
  } catch (error) {
    if (error instanceof RangeError) throw new QueryError(error.message, { cause: error });
    throw error;
  }
  return filter;
}

function conditions(words: Words, depth: number): Filter {
  if (depth > maximumDepth) throw new QueryError(`brackets lie at most ${maximumDepth} deep`);
  const any: Filter[] = [];
  do {
    const all: Filter[] = [];
    do all.push(condition(words, depth));
    while (words.takes('&&'));
    const [first] = all;
    any.push(all.length === 1 && first !== undefined ? first : { all });
  } while (words.takes('||'));
  const [first] = any;
  return any.length === 1 && first !== undefined ? first : { any };
}

function condition(words: Words, depth: number): Filter {
  if (words.takes('(')) {
    const inner = conditions(words, depth + 1);
    words.expect(')');
    return inner;
  }
  const left = words.next();
  if (left?.type === 'name' && (left.text === 'true' || left.text === 'false')) {
    return left.text === 'true' ? { all: [] } : { any: [] };
  }
  if (left?.type !== 'name')
    throw new QueryError(`${placeOf(left)}: a field is expected, such as span.http.route`);
  const field = fieldOf(left.text);
  const sign = words.next();
  const operator = operators.find((known) => sign?.type === 'symbol' && sign.text === known);
  if (operator === undefined) {
    throw new QueryError(`${placeOf(sign)}: one of ${operators.join(' ')} is expected after ${left.text}`);
  }
  return comparison(left.text, field, operator, operandOf(words.next(), left.text, operator));
}

function operandOf(
  token: Token | undefined,
  field: string,
  operator: Operator,
): Operand | { readonly word: string } {
  switch (token?.type) {
    case 'text':
    case 'number':
    case 'durationMs':
      return token.value;
    case 'name':
      if (token.text === 'nil') return null;
      if (token.text === 'true' || token.text === 'false') return token.text === 'true';
      return { word: token.text };
    default:
      throw new QueryError(`${placeOf(token)}: a value is expected after ${field} ${operator}`);
  }
}

const placeOf = (token: Token | undefined) => (token === undefined ? 'at the end' : `at ${token.at + 1}`);

const notServed = (token: Token) =>
  `${placeOf(token)}: only one set of spans { … } is served here, without pipelines (|), structural operators (>, >>, <, ~, …), ` +
  'other sets and aggregates';

class Words {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  next(): Token | undefined {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token;
  }

  takes(symbol: string): boolean {
    const token = this.#tokens[this.#at];
    const found = token?.type === 'symbol' && token.text === symbol;
    if (found) this.#at += 1;
    return found;
  }

  expect(symbol: string): void {
    const token = this.#tokens[this.#at];
    if (!this.takes(symbol)) throw new QueryError(`${placeOf(token)}: ${symbol} is expected`);
  }
}
