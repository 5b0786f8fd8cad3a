import { type DynamoDBDocumentClient, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';

/** Requests that one limit refused to one subject on one route. */
export interface Refusals {
  readonly policy: string;
  /** Id of a key (with the hash of a user), tenant, or address; `*` for several that are counted together. */
  readonly subject: string;
  /** Method and path; `*` for several that are counted together. */
  readonly route: string;
  readonly count: number;
  /** When the latest was refused, in milliseconds of the Unix epoch. */
  readonly lastAt: number;
}

const hourMs = 3_600_000;
const keptSeconds = 8 * 24 * 3_600;
const itemsPerHour = 500;

const itemSchema = z.object({
  policy: z.string(),
  subject: z.string(),
  route: z.string(),
  count: z.int(),
  lastAt: z.number(),
});

/** Counts of refused requests, by the hour; kept for eight days. */
export class RefusalStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /**
   * Adds to the count of the hour in which the latest was refused.
   *
   * @param abortSignal ends the question early.
   */
  async add({ policy, subject, route, count, lastAt }: Refusals, abortSignal?: AbortSignal): Promise<void> {
    const hour = Math.floor(lastAt / hourMs);
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: { pk: partitionOf(hour), sk: [policy, route, subject].join('#') },
        UpdateExpression:
          'SET #policy = :policy, #subject = :subject, #route = :route, #lastAt = :lastAt, expiresAt = :expiresAt ADD #count :count',
        ExpressionAttributeNames: {
          '#policy': 'policy',
          '#subject': 'subject',
          '#route': 'route',
          '#lastAt': 'lastAt',
          '#count': 'count',
        },
        ExpressionAttributeValues: {
          ':policy': policy,
          ':subject': subject,
          ':route': route,
          ':lastAt': lastAt,
          ':count': count,
          ':expiresAt': Math.ceil(lastAt / 1000) + keptSeconds,
        },
      }),
      abortSignal === undefined ? {} : { abortSignal },
    );
  }

  /**
   * The counts of one hour, in no order.
   *
   * @param hour number of the hour since the Unix epoch.
   * @returns at most 500 of them, and whether these are all.
   */
  async ofHour(hour: number): Promise<{ refusals: Refusals[]; complete: boolean }> {
    const refusals: Refusals[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': partitionOf(hour) },
          Limit: itemsPerHour - refusals.length,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      refusals.push(...z.array(itemSchema).parse(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined && refusals.length < itemsPerHour);
    return { refusals, complete: from === undefined };
  }
}

const partitionOf = (hour: number): string => `REFUSED#${new Date(hour * hourMs).toISOString().slice(0, 13)}`;
