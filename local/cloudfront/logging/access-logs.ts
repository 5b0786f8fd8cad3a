import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Service } from '../../service.ts';
import type { Exchanged } from '../edge-server.ts';
import type { LogDeliveries, LogDelivery } from './deliveries.ts';
import { type Field, fieldsOf } from './record.ts';

const compress = promisify(gzip);

export interface AccessLogsOptions {
  deliveries: LogDeliveries;
  edgeLocation: string;
  /** Name under which the distributions answer. */
  domainName: () => string;
  accountId: string;
  /** Stores a file in the name of a delivery source. */
  put: (delivery: LogDelivery, key: string, body: Buffer) => Promise<void>;
  /** How often files are written, in ms. */
  intervalMs: number;
  report: (line: string) => void;
}

interface Pending {
  delivery: LogDelivery;
  distributionId: string;
  /** `2026-11-22-02`: files never mix hours. */
  hour: string;
  lines: string[];
}

/** Most lines that wait for their file; CloudFront's logs are best effort as well. */
const mostLines = 100_000;

/** Writes the access logs of distributions into their buckets, gzipped, every few seconds. */
export class AccessLogs implements Service {
  readonly name = 'access logs';
  readonly #options: AccessLogsOptions;
  #pending = new Map<string, Pending>();
  #waiting = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: AccessLogsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.flush(), this.#options.intervalMs);
  }

  /** Writes what still waits. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  /** Takes the line of an exchange. */
  record(exchanged: Exchanged): void {
    const distribution = exchanged.answer.place?.distribution;
    if (distribution === undefined) return;
    const fields = fieldsOf(exchanged, {
      location: this.#options.edgeLocation,
      domainName: this.#options.domainName(),
    });
    const hour = new Date(exchanged.endedAt).toISOString().slice(0, 13).replace('T', '-');
    for (const delivery of this.#options.deliveries.of(distribution.arn)) {
      if (this.#waiting >= mostLines) {
        this.#dropped += 1;
        continue;
      }
      const key = JSON.stringify([delivery.sourceArn, delivery.bucket, delivery.prefix, hour]);
      const pending = this.#pending.get(key) ?? {
        delivery,
        distributionId: distribution.id,
        hour,
        lines: [],
      };
      pending.lines.push(lineOf(delivery, fields));
      this.#pending.set(key, pending);
      this.#waiting += 1;
    }
  }

  /** Writes one file per delivery and hour for the lines so far. What cannot be stored waits for the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    if (this.#dropped > 0) {
      this.#options.report(`the log of the edge lost ${this.#dropped} lines: too many waited`);
      this.#dropped = 0;
    }
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [key, entry] of pending) {
      try {
        const text = `${headOf(entry.delivery)}${entry.lines.join('\n')}\n`;
        await this.#options.put(entry.delivery, this.#keyOf(entry), await compress(text));
        this.#waiting -= entry.lines.length;
      } catch (error) {
        const later = this.#pending.get(key);
        this.#pending.set(key, { ...entry, lines: [...entry.lines, ...(later?.lines ?? [])] });
        this.#options.report(
          `the log of the edge cannot be stored: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
  }

  #keyOf({ delivery, distributionId, hour }: Pending): string {
    const [yyyy = '', MM = '', dd = '', HH = ''] = hour.split('-');
    const { accountId } = this.#options;
    const values: Record<string, string> = { yyyy, MM, dd, HH, accountid: accountId };
    const suffix = delivery.suffix.replaceAll(
      /\{([^}]*)\}/g,
      (_, name: string) => values[name] ?? distributionId,
    );
    const file = `${distributionId}.${hour}.${randomBytes(4).toString('hex')}.gz`;
    return [delivery.prefix, suffix, file].filter((part) => part !== '').join('/');
  }
}

function headOf({ format, fields }: LogDelivery): string {
  return format === 'w3c' ? `#Version: 1.0\n#Fields: ${fields.join(' ')}\n` : '';
}

function lineOf({ format, fields, delimiter }: LogDelivery, values: Record<Field, string>): string {
  return format === 'w3c'
    ? fields.map((field) => values[field]).join(delimiter)
    : JSON.stringify(Object.fromEntries(fields.map((field) => [field, values[field]])));
}
