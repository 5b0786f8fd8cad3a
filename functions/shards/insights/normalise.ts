/** How much of a statement is shown, in characters. */
const mostShown = 1_000;

/** What changes or reads rows; the server has put parameters in the place of most of its literals already. */
const shown = /^\s*\(*\s*(select|insert|update|delete|merge|with|values|table)\b/i;

const sticky = {
  space: /\s+/y,
  lineComment: /--[^\n\r]*/y,
  parameter: /\$\d+/y,
  dollarQuote: /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y,
  // With the letters that say how the quoted text is to be read.
  quote: /(?:[uU]&|[eEbBxXnN])?'/y,
  identifier: /(?:[uU]&)?"/y,
  word: /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y,
  number: /(?:\d|\.\d)(?:[eE][+-]\d|[A-Za-z0-9_.])*/y,
};

/**
 * A statement without literals and comments: each string, number, bit string and dollar-quoted text is a question mark. What
 * cannot be told from a literal for certain ends it. Of statements that neither read nor change rows only the first word is left:
 * what they set may stand there without quotes.
 */
export function normaliseStatement(text: string): string {
  const bare = withoutLiterals(text).replace(/\s+/g, ' ').trim();
  if (!shown.test(bare)) return `${/^[A-Za-z]+/.exec(bare)?.[0].toUpperCase() ?? 'STATEMENT'} …`;
  return bare.length > mostShown ? `${bare.slice(0, mostShown)}…` : bare;
}

function withoutLiterals(text: string): string {
  let out = '';
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  while (at < text.length) {
    if (take(sticky.space) !== undefined || take(sticky.lineComment) !== undefined) {
      out += ' ';
      continue;
    }
    if (text.startsWith('/*', at)) {
      at = endOfComment(text, at);
      out += ' ';
      continue;
    }
    const opening = take(sticky.quote);
    if (opening !== undefined) {
      const end = endOfString(text, at, /^e/i.test(opening));
      out += '?';
      if (end === undefined) return `${out} …`;
      at = end;
      continue;
    }
    const parameter = take(sticky.parameter);
    if (parameter !== undefined) {
      out += parameter;
      continue;
    }
    const tag = take(sticky.dollarQuote);
    if (tag !== undefined) {
      const end = text.indexOf(tag, at);
      out += '?';
      if (end < 0) return `${out} …`;
      at = end + tag.length;
      continue;
    }
    const quoted = take(sticky.identifier);
    if (quoted !== undefined) {
      const end = endOfIdentifier(text, at);
      if (end === undefined) return `${out} …`;
      out += quoted + text.slice(at, end);
      at = end;
      continue;
    }
    const word = take(sticky.word);
    if (word !== undefined) {
      out += word;
      continue;
    }
    if (take(sticky.number) !== undefined) {
      out += '?';
      continue;
    }
    out += text[at];
    at++;
  }
  return out;
}

/** Comments of PostgreSQL hold comments. */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('/*', at)) {
      depth++;
      at++;
    } else if (text.startsWith('*/', at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

/** @returns where a string ends whose opening quote has been read; undefined where that is not certain. */
function endOfString(text: string, start: number, escapes: boolean): number | undefined {
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') {
      if (escapes) at++;
      // Whether this quote ends the string is a setting of whoever sent it.
      else if (text[at + 1] === "'") return undefined;
    } else if (text[at] === "'") {
      if (text[at + 1] !== "'") return at + 1;
      at++;
    }
  }
  return undefined;
}

function endOfIdentifier(text: string, start: number): number | undefined {
  for (let at = start; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return at + 1;
    at++;
  }
  return undefined;
}
