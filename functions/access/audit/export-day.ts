import canonicalize from 'canonicalize';
import type { AuditReader } from './audit-reader.ts';
import { laneCount } from './days.ts';

/** Where in a day an export goes on: after which item of which chain. */
export interface ExportPosition {
  readonly lane: number;
  /** Key of the last item; absent before the first. */
  readonly after?: string | undefined;
}

export interface ExportPage {
  /** Lines of JSON, each with its line feed. */
  readonly text: string;
  readonly next?: ExportPosition;
}

/**
 * The entries of a day from `position` on, each as it is stored, whatever is wrong with it. Stops before the text is larger than
 * `maximumBytes` as a JSON string, in which form Lambda hands it on; one line there always is.
 */
export async function exportDay(
  reader: Pick<AuditReader, 'chain'>,
  day: string,
  position: ExportPosition,
  maximumBytes: number,
): Promise<ExportPage> {
  const lines: string[] = [];
  let bytes = 0;
  let { lane, after } = position;
  for (; lane < laneCount; lane++, after = undefined) {
    for await (const { key, entry } of reader.chain(day, lane, after)) {
      const line = `${canonicalize(entry)}\n`;
      bytes += Buffer.byteLength(JSON.stringify(line)) - 2;
      if (bytes > maximumBytes && lines.length > 0) return { text: lines.join(''), next: { lane, after } };
      lines.push(line);
      after = key;
    }
  }
  return { text: lines.join('') };
}
