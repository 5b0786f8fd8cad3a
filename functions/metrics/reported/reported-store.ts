import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds, ifVersion } from '../../shared/conditional-write.ts';
import { onDependency } from '../../shared/dependency.ts';
import { queryPages } from '../../shared/query-pages.ts';
import { packJson, unpackJson } from '../packed.ts';
import { metricDays } from './limits.ts';
import type { ReportedKind } from './names.ts';
import { allSeriesSchema, type Series } from './series.ts';

const kinds = ['counter', 'gauge', 'updown', 'histogram'] as const satisfies readonly ReportedKind[];
const headSchema = z.object({
  metric: z.string(),
  service: z.string(),
  kind: z.enum(kinds),
  help: z.string(),
  unit: z.string(),
  expiresAt: z.int(),
});
const itemSchema = headSchema.extend({ version: z.int(), series: z.instanceof(Uint8Array) });

/** One metric of one service, as far as its kind goes. */
export type ReportedHead = Omit<z.output<typeof headSchema>, 'expiresAt'>;

export interface ReportedMetric extends ReportedHead {
  readonly series: Record<string, Series>;
}

/** A metric, and how often it has been written. */
export interface StoredMetric {
  readonly metric: ReportedMetric;
  readonly version: number;
}

/** The series of a metric in few bytes, as they are stored. */
export const packSeries = (series: Record<string, Series>): Uint8Array => packJson(series);

/** What services have reported, in the monitoring table: one item for each metric of a service, `REPORTED`/`<metric>#<service>`. */
export class ReportedStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  constructor(client: DynamoDBDocumentClient, table: string, now: () => number) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  /** The metrics there are, in the order of their names. */
  async heads(): Promise<ReportedHead[]> {
    const found = await this.#all(Object.keys(headSchema.shape), headSchema);
    return found.map(({ expiresAt: _, ...head }) => head);
  }

  /** All that has been reported, in the order of names. */
  async all(): Promise<ReportedMetric[]> {
    return (await this.#all(undefined, itemSchema)).map((item) => storedOf(item).metric);
  }

  async get({
    metric,
    service,
  }: Pick<ReportedHead, 'metric' | 'service'>): Promise<StoredMetric | undefined> {
    const { Item } = await onDependency('DynamoDB', 'GetItem', () =>
      this.#client.send(
        new GetCommand({
          TableName: this.#table,
          Key: { pk: 'REPORTED', sk: `${metric}#${service}` },
          ConsistentRead: true,
        }),
      ),
    );
    return Item === undefined ? undefined : storedOf(itemSchema.parse(Item));
  }

  /** Writes a metric over the version that was read, 0 for none; `false` when somebody else has written meanwhile. */
  put({ series: _, ...head }: ReportedMetric, series: Uint8Array, version: number): Promise<boolean> {
    const expiresAt = Math.ceil(this.#now() / 1000) + metricDays * 86_400;
    const Item = {
      ...{ pk: 'REPORTED', sk: `${head.metric}#${head.service}` },
      ...{ ...head, series, version: version + 1, expiresAt },
    };
    return onDependency('DynamoDB', 'PutItem', () =>
      holds(() =>
        this.#client.send(
          new PutCommand({
            TableName: this.#table,
            Item,
            ...ifVersion(version),
          }),
        ),
      ),
    );
  }

  /** Bounded by how many metrics are taken. */
  async #all<T extends { readonly expiresAt: number }>(
    members: readonly string[] | undefined,
    schema: z.ZodType<T>,
  ): Promise<T[]> {
    const found: T[] = [];
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'REPORTED' },
      ConsistentRead: true,
      ...(members !== undefined && {
        ProjectionExpression: members.map((member) => `#${member}`).join(','),
        ExpressionAttributeNames: Object.fromEntries(members.map((member) => [`#${member}`, member])),
      }),
    });
    for await (const { items } of pages) found.push(...z.array(schema).parse(items));
    return found.filter(({ expiresAt }) => expiresAt * 1000 > this.#now());
  }
}

function storedOf({ version, series, expiresAt: _, ...head }: z.output<typeof itemSchema>): StoredMetric {
  return { metric: { ...head, series: unpackJson(series, allSeriesSchema) }, version };
}
