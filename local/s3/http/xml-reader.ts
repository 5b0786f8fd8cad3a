import { XMLParser } from 'fast-xml-parser';
import * as z from 'zod';
import { malformedXml } from '../errors.ts';

// Every element is read as a list of its occurrences, so that one item and many look the same.
const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: () => true,
});

/** An element that occurs once and holds text. */
export const xmlText = z.tuple([z.string()]).transform(([value]) => value);

/**
 * Reads the XML of a request.
 *
 * @param root name of the root element.
 * @param schema of the root's content: each child an array, text as strings.
 * @throws `MalformedXML` (400).
 */
export function readXml<T>(xml: Buffer, root: string, schema: z.ZodType<T>): T {
  const text = withControlCharacters(xml.toString('utf8'));
  if (text.includes('<!DOCTYPE')) throw malformedXml();
  let parsed: Record<string, unknown>;
  try {
    parsed = parser.parse(text, true);
  } catch {
    throw malformedXml();
  }
  const content = parsed[root];
  const result = schema.safeParse(Array.isArray(content) && content.length === 1 ? content[0] : undefined);
  if (!result.success) throw malformedXml();
  return result.data;
}

/** Puts control characters in place of references to them, which XML 1.0 does not have and the parser drops. */
function withControlCharacters(text: string): string {
  return text.replace(
    /&#(?:x0*([0-9a-f]{1,2})|0*(\d{1,2}));/gi,
    (reference, hex: string, decimal: string) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      const isControl = code < 32 && code !== 9 && code !== 10 && code !== 13;
      return isControl ? String.fromCharCode(code) : reference;
    },
  );
}
