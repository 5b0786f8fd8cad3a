import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';

export interface LogEvent {
  /** Milliseconds since the epoch. */
  timestamp: number;
  streamName: string;
  message: string;
  /** The same each time the event is read. */
  eventId: string;
}

/** The stream that all lines of a function's file are shown in. */
export const fileStream = 'local';

const storedSchema = z.object({ t: z.number(), s: z.string(), m: z.string() });
const datedSchema = z.object({
  timestamp: z.union([z.string(), z.number()]).optional(),
  time: z.union([z.string(), z.number()]).optional(),
  _aws: z.object({ Timestamp: z.number() }).optional(),
});

/** One event as a line of a group's own file. */
export function storedLine(timestamp: number, streamName: string, message: string): string {
  return `${JSON.stringify({ t: timestamp, s: streamName, m: message })}\n`;
}

/** Reads a group's own file, oldest event first. */
export async function readStored(path: string): Promise<LogEvent[]> {
  const { lines } = await readLines(path);
  const events = lines.flatMap((line) => {
    const parsed = storedSchema.safeParse(parse(line));
    return parsed.success
      ? [{ timestamp: parsed.data.t, streamName: parsed.data.s, message: parsed.data.m }]
      : [];
  });
  return identified(events);
}

/**
 * Reads a function's log: plain lines, most of them JSON that says when it was written. A line that
 * does not say is as old as the one before.
 */
export async function readPlain(path: string): Promise<LogEvent[]> {
  const { lines, since } = await readLines(path);
  let timestamp = since;
  const events = lines.map((message) => {
    timestamp = timeOf(message) ?? timestamp;
    return { timestamp, streamName: fileStream, message };
  });
  return identified(events);
}

/** All lines of a rotated file and the one it was rotated to, and when the first was begun. */
async function readLines(path: string): Promise<{ lines: string[]; since: number }> {
  const files = [`${path}.1`, path].filter((file) => existsSync(file));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const [first] = files;
  const since = first === undefined ? 0 : Math.floor((await stat(first)).birthtimeMs);
  return {
    lines: texts
      .join('')
      .split('\n')
      .filter((line) => line !== ''),
    since,
  };
}

function timeOf(line: string): number | undefined {
  if (!line.startsWith('{')) return undefined;
  const parsed = datedSchema.safeParse(parse(line));
  if (!parsed.success) return undefined;
  const { timestamp, time, _aws } = parsed.data;
  const value = timestamp ?? time ?? _aws?.Timestamp;
  const milliseconds = typeof value === 'string' ? Date.parse(value) : value;
  return milliseconds === undefined || Number.isNaN(milliseconds) ? undefined : milliseconds;
}

function identified(events: readonly Omit<LogEvent, 'eventId'>[]): LogEvent[] {
  const seen = new Map<string, number>();
  return events.map((event) => {
    const key = `${event.timestamp} ${event.streamName} ${event.message}`;
    const repeat = seen.get(key) ?? 0;
    seen.set(key, repeat + 1);
    const eventId = createHash('sha256').update(`${key} ${repeat}`).digest('hex').slice(0, 56);
    return { ...event, eventId };
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
