import { gunzipSync, gzipSync } from 'node:zlib';
import type * as z from 'zod';

/** The most bytes that an item's data unpacks to: damaged data must not fill the memory. */
const mostBytes = 16 * 1024 * 1024;

/** A value in few bytes, as items of the monitoring table have it: JSON in gzip. */
export const packJson = (value: unknown): Uint8Array => gzipSync(JSON.stringify(value));

/**
 * Reads what `packJson` has written.
 *
 * @throws when it is damaged, unpacks to more than 16 MiB, or is not what `schema` says.
 */
export function unpackJson<S extends z.ZodType>(packed: Uint8Array, schema: S): z.output<S> {
  const text = gunzipSync(packed, { maxOutputLength: mostBytes }).toString('utf8');
  return schema.parse(JSON.parse(text));
}
