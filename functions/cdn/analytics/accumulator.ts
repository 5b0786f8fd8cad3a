import { ByteTable } from './byte-table.ts';
import { place } from './columns.ts';
import { intervalOf } from './intervals.ts';
import { JsonLines } from './json-lines.ts';
import { LineCounter } from './line-counter.ts';
import { emptyLine, viewOf } from './log-line.ts';
import { LogClock, secondsOf } from './log-time.ts';
import { numberIn } from './numbers.ts';
import { noTenant, tenantOf, type Websites } from './tenants.ts';
import type { Traffic } from './traffic.ts';
import { W3cLines } from './w3c-lines.ts';

export interface AccumulatorOptions {
  readonly websites: Websites;
  /** When counting was started anew, in Unix seconds, rising. */
  readonly resets: readonly number[];
  /** Lines of before are not counted: what they would be added to is no longer kept. In Unix seconds. */
  readonly oldest: number;
  /** Lines of after are damaged. In Unix seconds. */
  readonly newest: number;
}

/** What a log holds. */
export interface LogSummary {
  /** By interval, by tenant. */
  readonly intervals: ReadonlyMap<number, ReadonlyMap<string, Traffic>>;
  readonly lines: number;
  /** Lines that are none of a log that is known, or lack what is counted. */
  readonly badLines: number;
  /** Lines that are older than what is kept. */
  readonly oldLines: number;
  /** Lines of requests between the parts of a CDN, which no viewer made. */
  readonly innerLines: number;
  /** When the latest request was answered, in Unix seconds. */
  readonly latest: number | undefined;
}

/** Intervals times tenants that one log may hold; lines of more fail it, so that nothing is lost silently. */
const mostCounters = 5_000;

/** So many counters may keep many more keys than they need in the end. */
const fewCounters = 20;

/** There is more in a log than one function can hold apart. Its name is what a dead letter says. */
export class LogTooDiverse extends Error {
  override readonly name = 'LogTooDiverse';
}

/** Counts the lines of one log, whoever wrote it. It keeps counts and no lines: its memory does not grow with the log. */
export class LogAccumulator {
  readonly #options: AccumulatorOptions;
  readonly #line = emptyLine();
  readonly #w3c = new W3cLines();
  readonly #json = new JsonLines();
  readonly #clock = new LogClock();
  readonly #hosts = new ByteTable();
  /** By the numbers of the hosts. */
  readonly #tenantOf: string[] = [];
  readonly #counters = new Map<number, Map<string, LineCounter>>();
  #interval = { start: 0, end: 0 };
  #tenants = new Map<string, LineCounter>();
  #kept = 0;
  #lines = 0;
  #bad = 0;
  #old = 0;
  #inner = 0;
  #latest: number | undefined;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
  }

  /**
   * Takes whole lines.
   *
   * @throws LogTooDiverse
   */
  add(buffer: Buffer): void {
    const view = viewOf(buffer);
    for (let at = 0; at < buffer.length; ) at = this.#addLine(buffer, view, at);
  }

  /** Counts a line that could not be read, because it is too long. */
  addUnreadable(): void {
    this.#lines += 1;
    this.#bad += 1;
  }

  /** What was counted; nothing may be added afterwards. */
  finish(): LogSummary {
    const intervals = new Map(
      [...this.#counters].map(([start, tenants]) => [
        start,
        new Map([...tenants].map(([tenant, counter]) => [tenant, counter.finish()])),
      ]),
    );
    return {
      intervals,
      lines: this.#lines,
      badLines: this.#bad,
      oldLines: this.#old,
      innerLines: this.#inner,
      latest: this.#latest,
    };
  }

  /** Returns where the next line begins. */
  #addLine(buffer: Buffer, view: DataView, from: number): number {
    const first = buffer[from];
    const isJson = first === 0x7b;
    if (!isJson && first !== 0x23 && this.#w3c.ready && first !== 0x0a && first !== 0x0d) {
      const line = this.#line;
      line.buffer = buffer;
      line.view = view;
      const next = this.#w3c.read(line, from, buffer.length);
      this.#count();
      return next;
    }
    const newline = buffer.indexOf(0x0a, from);
    const end = newline < 0 ? buffer.length : newline;
    const text = buffer.toString('utf8', from, end).trim();
    if (first === 0x23) this.#w3c.header(text);
    else if (isJson && this.#json.read(this.#line, text)) this.#count();
    else if (text !== '') this.addUnreadable();
    return end + 1;
  }

  #count(): void {
    const { buffer, starts, ends, latencyMs } = this.#line;
    this.#lines += 1;
    const at = this.#seconds();
    const status = numberIn(buffer, starts[place.status] ?? 0, ends[place.status] ?? 0);
    const bytes = numberIn(buffer, starts[place.bytes] ?? 0, ends[place.bytes] ?? 0);
    const path = ends[place.path] ?? 0;
    if (
      !(at <= this.#options.newest) ||
      !(status >= 0 && status < 600) ||
      Number.isNaN(bytes) ||
      path === 0
    ) {
      this.#bad += 1;
    } else if (at < this.#options.oldest) this.#old += 1;
    else if (this.#isInner()) this.#inner += 1;
    else {
      if (this.#latest === undefined || at > this.#latest) this.#latest = at;
      const latency = numberIn(buffer, starts[place.latency] ?? 0, ends[place.latency] ?? 0) * latencyMs;
      const taken = (ends[place.latency] ?? 0) === 0 || Number.isNaN(latency) ? undefined : latency;
      this.#counterOf(at).add(this.#line, status, bytes, taken);
    }
  }

  #seconds(): number {
    const { buffer, starts, ends } = this.#line;
    if ((ends[place.date] ?? 0) > 0) {
      const { date, time } = place;
      return this.#clock.seconds(
        buffer,
        starts[date] ?? 0,
        ends[date] ?? 0,
        starts[time] ?? 0,
        ends[time] ?? 0,
      );
    }
    return secondsOf(buffer.toString('latin1', starts[place.instant] ?? 0, ends[place.instant] ?? 0));
  }

  /** Fastly logs the requests of its shields too, and says so. */
  #isInner(): boolean {
    const end = this.#line.ends[place.viewer] ?? 0;
    if (end === 0) return false;
    const first = this.#line.buffer[this.#line.starts[place.viewer] ?? 0];
    return first === 0x66 || first === 0x30;
  }

  #counterOf(at: number): LineCounter {
    if (at < this.#interval.start || at >= this.#interval.end) {
      this.#interval = intervalOf(at, this.#options.resets);
      this.#tenants = this.#counters.get(this.#interval.start) ?? new Map();
      this.#counters.set(this.#interval.start, this.#tenants);
    }
    const tenant = this.#tenant();
    const found = this.#tenants.get(tenant);
    if (found !== undefined) return found;
    this.#kept += 1;
    if (this.#kept > mostCounters) {
      throw new LogTooDiverse(`One log holds requests of more than ${mostCounters} tenants and hours.`);
    }
    const made = new LineCounter(this.#kept <= fewCounters ? 16 : 2);
    this.#tenants.set(tenant, made);
    return made;
  }

  #tenant(): string {
    const { buffer, view, starts, ends } = this.#line;
    const site = ends[place.site] ?? 0;
    const host = ends[place.host] ?? 0;
    if (this.#hosts.size > 10_000) this.#hosts.clear();
    if (site > 0) {
      const id = buffer.toString('latin1', starts[place.site] ?? 0, site);
      return tenantOf(this.#options.websites, buffer.toString('latin1', starts[place.host] ?? 0, host), id);
    }
    if (host === 0) return noTenant;
    const known = this.#hosts.size;
    const number = this.#hosts.numberOf(buffer, view, starts[place.host] ?? 0, host);
    if (number === known) {
      this.#tenantOf[number] = tenantOf(this.#options.websites, this.#hosts.textOf(number), '');
    }
    return this.#tenantOf[number] ?? noTenant;
  }
}
