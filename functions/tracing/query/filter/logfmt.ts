/** Tags in one search. */
const maximumTags = 20;
const pair = /\s*([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)/y;

/**
 * Reads tags as logfmt writes them: `http.method=GET customer="c 1"`.
 *
 * @throws RangeError saying where it is none.
 */
export function parseLogfmt(text: string): [key: string, value: string][] {
  const tags: [string, string][] = [];
  const end = text.trimEnd().length;
  pair.lastIndex = 0;
  while (pair.lastIndex < end) {
    const at = pair.lastIndex;
    const [whole, key, quoted, plain = ''] = pair.exec(text) ?? [];
    if (whole === undefined || key === undefined) {
      throw new RangeError(`at ${at + 1}: a tag is written key=value or key="value"`);
    }
    tags.push([key, quoted?.replace(/\\(.)/gs, '$1') ?? plain]);
    if (tags.length > maximumTags) throw new RangeError(`there are at most ${maximumTags} tags`);
  }
  return tags;
}
