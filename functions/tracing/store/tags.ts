import type { AnyValue, KeyValue } from '../model.ts';

/** The most characters of a tag's value that can be searched; the rest is in the trace. */
export const maximumTag = 256;
/** The most tags of one span or resource that can be searched. */
export const maximumTags = 64;

/** What can be searched of attributes: plain values as text, cut to `maximumTag` characters. */
export function tagsOf(attributes: readonly KeyValue[]): (readonly [string, string])[] {
  const tags: (readonly [string, string])[] = [];
  for (const { key, value } of attributes) {
    const text = textOf(value);
    if (text !== undefined) tags.push([key, text.slice(0, maximumTag)]);
    if (tags.length === maximumTags) break;
  }
  return tags;
}

/** A value as it is searched for; `undefined` for lists, maps and bytes, which cannot be. */
export function textOf({ stringValue, boolValue, intValue, doubleValue }: AnyValue): string | undefined {
  if (stringValue !== undefined) return stringValue;
  if (intValue !== undefined) return intValue;
  if (boolValue !== undefined) return String(boolValue);
  return doubleValue === undefined ? undefined : String(doubleValue);
}
