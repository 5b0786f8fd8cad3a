/** The longest pattern, in characters. */
export const patternLength = 200;

/** What differs between two errors of the same kind, and what stands for it; in this order. */
const varying: readonly [RegExp, string][] = [
  [/https?:\/\/[^\s"'<>)]+/g, '<url>'],
  [/arn:[a-z-]+:[^\s"',;)]+/g, '<arn>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '<id>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g, '<address>'],
  [/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '<email>'],
  [/"[^"]{0,1000}"|`[^`]{0,1000}`/g, '<text>'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, '<hex>'],
  [/[+-]?\b\d[\d,.]*(?=\b|[a-z])/gi, '<n>'],
];

/**
 * A message without what differs from one occurrence to the next (numbers, ids, times, addresses, quoted text), so that errors
 * of the same kind are counted together; at most `patternLength` characters. Whatever a message may quote of a request is gone with it.
 */
export function errorPattern(message: string): string {
  let pattern = message.slice(0, 2_000);
  for (const [what, placeholder] of varying) pattern = pattern.replaceAll(what, placeholder);
  return pattern.replaceAll(/\s+/g, ' ').trim().slice(0, patternLength);
}
