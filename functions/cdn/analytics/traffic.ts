import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import * as z from 'zod';
import { DistinctSketch } from '../../shared/sketches/distinct.ts';
import { QuantileSketch } from '../../shared/sketches/quantile.ts';
import { TopK } from '../../shared/sketches/top-k.ts';

/** How many keys are kept of what has any number of them: beyond that, counts have an error. */
export const capacities = { paths: 1_000, countries: 300, edges: 1_000, contentTypes: 200 } as const;
type Ranking = keyof typeof capacities;
const rankings = ['paths', 'countries', 'edges', 'contentTypes'] as const satisfies readonly Ranking[];

const amount = z.number().min(0);
const rankingSchema = z.strictObject({
  error: amount,
  /** Key, requests, bytes, hits. */
  entries: z.array(z.tuple([z.string(), amount, amount, amount])),
});
const trafficSchema = z.strictObject({
  version: z.literal(1),
  requests: amount,
  hits: amount,
  misses: amount,
  bytes: amount,
  hitBytes: amount,
  missBytes: amount,
  /** Answers by the first digit of their status; at 0 those without one. */
  statuses: z.array(amount).length(6),
  latencyMs: z.base64(),
  visitors: z.base64(),
  paths: rankingSchema,
  countries: rankingSchema,
  edges: rankingSchema,
  contentTypes: rankingSchema,
});

/** What was counted of some requests. Merging it is adding: the order does not matter, only that nothing is merged twice. */
export class Traffic {
  requests = 0;
  hits = 0;
  misses = 0;
  bytes = 0;
  hitBytes = 0;
  missBytes = 0;
  /** Answers by the first digit of their status; at 0 those without one. */
  readonly statuses = new Float64Array(6);
  readonly latencyMs: QuantileSketch;
  readonly visitors: DistinctSketch;
  readonly paths: TopK;
  readonly countries: TopK;
  readonly edges: TopK;
  readonly contentTypes: TopK;

  constructor(parts: Partial<Pick<Traffic, 'latencyMs' | 'visitors' | Ranking>> = {}) {
    this.latencyMs = parts.latencyMs ?? new QuantileSketch();
    this.visitors = parts.visitors ?? new DistinctSketch();
    this.paths = parts.paths ?? new TopK(capacities.paths);
    this.countries = parts.countries ?? new TopK(capacities.countries);
    this.edges = parts.edges ?? new TopK(capacities.edges);
    this.contentTypes = parts.contentTypes ?? new TopK(capacities.contentTypes);
  }

  /** Adds what was counted elsewhere. */
  merge(other: Traffic): void {
    this.requests += other.requests;
    this.hits += other.hits;
    this.misses += other.misses;
    this.bytes += other.bytes;
    this.hitBytes += other.hitBytes;
    this.missBytes += other.missBytes;
    other.statuses.forEach((count, index) => {
      this.statuses[index] = (this.statuses[index] ?? 0) + count;
    });
    this.latencyMs.merge(other.latencyMs);
    this.visitors.merge(other.visitors);
    for (const name of rankings) this[name].merge(other[name]);
  }

  /** As JSON, compressed with zstd. Equal traffic gives equal bytes. */
  toBytes(): Buffer {
    for (const name of rankings) this[name].shrink();
    const value: z.input<typeof trafficSchema> = {
      version: 1,
      requests: this.requests,
      hits: this.hits,
      misses: this.misses,
      bytes: this.bytes,
      hitBytes: this.hitBytes,
      missBytes: this.missBytes,
      statuses: [...this.statuses],
      latencyMs: Buffer.from(this.latencyMs.toBytes()).toString('base64'),
      visitors: Buffer.from(this.visitors.toBytes()).toString('base64'),
      paths: written(this.paths),
      countries: written(this.countries),
      edges: written(this.edges),
      contentTypes: written(this.contentTypes),
    };
    return zstdCompressSync(JSON.stringify(value));
  }

  /** @throws when the bytes are not those of `toBytes`. */
  static fromBytes(bytes: Uint8Array): Traffic {
    const text = zstdDecompressSync(bytes, { maxOutputLength: mostBytes }).toString('utf8');
    const value = trafficSchema.parse(JSON.parse(text));
    const traffic = new Traffic({
      latencyMs: QuantileSketch.fromBytes(Buffer.from(value.latencyMs, 'base64')),
      visitors: DistinctSketch.fromBytes(Buffer.from(value.visitors, 'base64')),
      ...Object.fromEntries(rankings.map((name) => [name, read(name, value[name])])),
    });
    traffic.requests = value.requests;
    traffic.hits = value.hits;
    traffic.misses = value.misses;
    traffic.bytes = value.bytes;
    traffic.hitBytes = value.hitBytes;
    traffic.missBytes = value.missBytes;
    traffic.statuses.set(value.statuses);
    return traffic;
  }
}

/** What a key takes, times the number of keys, many times over. */
const mostBytes = 16_000_000;

function written(ranking: TopK): z.input<typeof rankingSchema> {
  const entries = ranking.top(ranking.size);
  return {
    error: ranking.error,
    entries: entries.map(({ key, count, bytes, hits }) => [key, count, bytes, hits]),
  };
}

function read(name: Ranking, { error, entries }: z.output<typeof rankingSchema>): TopK {
  const all = entries.map(([key, count, bytes, hits]) => ({ key, count, bytes, hits }));
  return TopK.of(capacities[name], error, all);
}
