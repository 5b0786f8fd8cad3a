import * as z from 'zod';
import { S3Error } from '../errors.ts';
import { element, field } from './xml.ts';
import { readXml } from './xml-reader.ts';

const mostTags = 10;

const taggingSchema = z.object({
  TagSet: z.tuple([
    z.union([
      z.object({
        Tag: z
          .array(z.object({ Key: z.tuple([z.string()]), Value: z.tuple([z.string()]) }))
          .optional()
          .default([]),
      }),
      z.string(),
    ]),
  ]),
});

/** Reads `x-amz-tagging`: `a=b&c=d`. @throws `InvalidTag`, `BadRequest` (400). */
export function parseTagHeader(header: string | undefined): Record<string, string> {
  return checkedTags([...new URLSearchParams(header ?? '')]);
}

/** Reads a `<Tagging>` document. @throws `MalformedXML`, `InvalidTag`, `BadRequest` (400). */
export function parseTagging(xml: Buffer): Record<string, string> {
  const [set] = readXml(xml, 'Tagging', taggingSchema).TagSet;
  const tags = typeof set === 'string' ? [] : set.Tag;
  return checkedTags(tags.map((tag) => [tag.Key[0], tag.Value[0]]));
}

/** The `<TagSet>` element. */
export function tagSet(tags: Readonly<Record<string, string>>): string {
  const items = Object.entries(tags).map(([key, value]) =>
    element('Tag', field('Key', key), field('Value', value)),
  );
  return element('TagSet', ...items);
}

function checkedTags(tags: readonly (readonly [string, string])[]): Record<string, string> {
  if (tags.length > mostTags) {
    throw new S3Error('BadRequest', `Object tags cannot be greater than ${mostTags}`, 400);
  }
  const result = new Map<string, string>();
  for (const [key, value] of tags) {
    if (key.length === 0 || key.length > 128)
      throw invalidTag('The TagKey you have provided is invalid', key);
    if (value.length > 256) throw invalidTag('The TagValue you have provided is invalid', key);
    if (result.has(key)) throw invalidTag('Cannot provide multiple Tags with the same key', key);
    result.set(key, value);
  }
  return Object.fromEntries(result);
}

function invalidTag(message: string, key: string): S3Error {
  return new S3Error('InvalidTag', message, 400, { TagKey: key });
}
