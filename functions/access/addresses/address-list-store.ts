import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { holds, ifVersion } from '../../shared/conditional-write.ts';
import { Problem } from '../../shared/problem.ts';

export const listNames = ['allow', 'deny'] as const;
export type ListName = (typeof listNames)[number];

/** How many networks both lists have together at most: they are one item, read by every function. */
export const mostEntries = 500;
const attempts = 5;

const entrySchema = z.object({
  list: z.enum(listNames),
  /** In canonical form. */
  network: z.string(),
  note: z.string().optional(),
  addedAt: z.string(),
  /** Id of a key. */
  addedBy: z.string(),
});
export type Entry = z.output<typeof entrySchema>;

const itemSchema = z.object({ version: z.int(), entries: z.array(entrySchema) });
const key = { pk: 'ADDRESSES', sk: 'LISTS' };

/** The lists of addresses that are changed while the platform runs: one item of the table of limits. */
export class AddressListStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** @param abortSignal ends the question early. */
  async read(abortSignal?: AbortSignal): Promise<Entry[]> {
    return (await this.#read(abortSignal)).entries;
  }

  /**
   * Changes the lists as one step: what another caller changes at the same time is seen.
   *
   * @param change gives the new entries; what it throws is thrown.
   * @throws Problem 409 when others change them all the time, 422 when they would be too long.
   */
  async change(change: (entries: readonly Entry[]) => Entry[]): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { version, entries } = await this.#read();
      const changed = change(entries);
      if (changed.length > mostEntries && changed.length > entries.length) {
        throw new Problem(
          'unprocessable-request',
          `The lists have at most ${mostEntries} networks together.`,
        );
      }
      if (await this.#write(version, changed)) return;
    }
    throw new Problem('conflict', 'The lists are being changed by somebody else. Try again.');
  }

  async #read(abortSignal?: AbortSignal): Promise<z.output<typeof itemSchema>> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true }),
      abortSignal === undefined ? {} : { abortSignal },
    );
    return Item === undefined ? { version: 0, entries: [] } : itemSchema.parse(Item);
  }

  /** @returns false when the lists are no longer as they were read. */
  async #write(version: number, entries: readonly Entry[]): Promise<boolean> {
    const unchanged = ifVersion(version);
    return holds(() =>
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: key,
          UpdateExpression: 'SET #version = :next, #entries = :entries',
          ConditionExpression: unchanged.ConditionExpression,
          ExpressionAttributeNames: { '#version': 'version', '#entries': 'entries' },
          ExpressionAttributeValues: {
            ':next': version + 1,
            ':entries': entries,
            ...unchanged.ExpressionAttributeValues,
          },
        }),
      ),
    );
  }
}
