/** A parsed metric math expression. */
export type MathNode =
  | { kind: 'number'; value: number }
  | { kind: 'name'; name: string }
  | { kind: 'list'; items: readonly MathNode[] }
  | { kind: 'call'; name: string; args: readonly MathNode[] }
  | { kind: 'negate'; operand: MathNode }
  | { kind: 'binary'; operator: string; left: MathNode; right: MathNode };

/** Operators from weakest to strongest. */
const levels: readonly (readonly string[])[] = [
  ['OR', '||'],
  ['AND', '&&'],
  ['==', '!=', '<=', '>=', '<', '>'],
  ['+', '-'],
  ['*', '/'],
  ['^'],
];

const token =
  /\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z][A-Za-z0-9_]*|==|!=|<=|>=|&&|\|\||"[^"]*"|[-+*/^()<>[\],])/y;

/** Parses a metric math expression. @throws Error that says where it is not valid. */
export function parseMath(source: string): MathNode {
  const tokens = tokenize(source);
  let position = 0;
  const peek = () => tokens[position];
  const fail = (): Error => new Error(`The expression ${source} is not valid at ${peek() ?? 'its end'}.`);
  const expect = (text: string) => {
    if (tokens[position++] !== text) {
      position -= 1;
      throw fail();
    }
  };

  const binary = (level: number): MathNode => {
    const operators = levels[level];
    if (operators === undefined) return unary();
    let left = binary(level + 1);
    for (;;) {
      const operator = peek();
      if (operator === undefined || !operators.includes(operator.toUpperCase())) return left;
      position += 1;
      left = { kind: 'binary', operator: operator.toUpperCase(), left, right: binary(level + 1) };
    }
  };

  const unary = (): MathNode => {
    if (peek() !== '-') return primary();
    position += 1;
    return { kind: 'negate', operand: unary() };
  };

  const list = (end: string): MathNode[] => {
    const items: MathNode[] = [];
    if (peek() !== end) {
      do items.push(binary(0));
      while (peek() === ',' && position++ >= 0);
    }
    expect(end);
    return items;
  };

  const primary = (): MathNode => {
    const text = tokens[position++];
    if (text === undefined) throw fail();
    if (/^\d/.test(text)) return { kind: 'number', value: Number(text) };
    if (text === '(') {
      const inner = binary(0);
      expect(')');
      return inner;
    }
    if (text === '[') return { kind: 'list', items: list(']') };
    if (!/^[A-Za-z]/.test(text)) {
      position -= 1;
      throw fail();
    }
    if (peek() !== '(') return { kind: 'name', name: text };
    position += 1;
    return { kind: 'call', name: text.toUpperCase(), args: list(')') };
  };

  const result = binary(0);
  if (position < tokens.length) throw fail();
  return result;
}

function tokenize(source: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  const end = source.trimEnd().length;
  while (token.lastIndex < end) {
    const from = token.lastIndex;
    const match = token.exec(source);
    if (match === null) throw new Error(`The expression ${source} is not valid at ${source.slice(from)}.`);
    tokens.push(match[1] ?? '');
  }
  return tokens;
}
