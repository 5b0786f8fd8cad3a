import * as z from 'zod';
import { cloudFrontFields, cloudflareFields, columns, type Field, fastlyFields, place } from './columns.ts';
import { type LogLine, viewOf } from './log-line.ts';

const objectSchema = z.record(z.string(), z.unknown());
/** Longer values are cut: no column needs them whole. */
const longestValue = 1_024;

/**
 * Reads lines of JSON, one object each, by their keys: CloudFront’s standard logs, Cloudflare’s Logpush, Fastly’s endpoints.
 * Whose line it is, is seen by the key of the status.
 */
export class JsonLines {
  readonly #scratch = Buffer.alloc(columns.length * longestValue * 3);
  readonly #view = viewOf(this.#scratch);

  /** Puts the values of a line into `line`. Returns whether it is a line of a log that is known. */
  read(line: LogLine, text: string): boolean {
    const object = parse(text);
    const fields = object === undefined ? undefined : fieldsOf(object);
    if (object === undefined || fields === undefined) return false;
    line.buffer = this.#scratch;
    line.view = this.#view;
    line.ends.fill(0);
    let used = 0;
    for (const { name, column, ms = 1 } of fields) {
      const index = place[column];
      if ((line.ends[index] ?? 0) > 0) continue;
      const value = textOf(object[name], column);
      if (value === '' || value === '-') continue;
      if (column === 'latency') line.latencyMs = ms;
      line.starts[index] = used;
      used += this.#scratch.write(value, used, 'utf8');
      line.ends[index] = used;
    }
    return true;
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return objectSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function fieldsOf(object: Record<string, unknown>): readonly Field[] | undefined {
  if ('sc-status' in object) return cloudFrontFields;
  if ('EdgeResponseStatus' in object) return cloudflareFields;
  return 'response_status' in object ? fastlyFields : undefined;
}

function textOf(value: unknown, column: Field['column']): string {
  const text =
    typeof value === 'string'
      ? value
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : '';
  // CloudFront logs paths without their queries, the others with them.
  const plain = column === 'path' ? (text.split('?', 1)[0] ?? '') : text;
  return (column === 'country' ? plain.toUpperCase() : plain).slice(0, longestValue);
}
