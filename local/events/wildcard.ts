/**
 * Whether a text matches a pattern in which `*` stands for any text, also none; a backslash takes
 * the next character as it is. Takes time in proportion to pattern and text.
 */
export function wildcardMatches(pattern: string, text: string): boolean {
  const pieces = piecesOf(pattern);
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let position = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, position);
    if (found < 0 || found + piece.length > end) return false;
    position = found + piece.length;
  }
  return position <= end;
}

/** The texts between the stars. */
function piecesOf(pattern: string): string[] {
  const pieces = [''];
  for (const [token] of pattern.matchAll(/\\.|./gsu)) {
    if (token === '*') pieces.push('');
    else
      pieces.push(
        (pieces.pop() ?? '') + (token.length > 1 && token.startsWith('\\') ? token.slice(1) : token),
      );
  }
  return pieces;
}
