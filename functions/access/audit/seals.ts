import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { holds } from '../../shared/conditional-write.ts';
import { sequenceKey } from './chain.ts';
import { expiryOf, laneCount } from './days.ts';
import {
  type AuditVerification,
  auditVerificationSchema,
  type Seal,
  type SealContent,
  sealSchema,
} from './model.ts';
import { sealPartition, verificationPartition } from './table-keys.ts';

const maximumSeals = 400;

/** What is hashed of a seal, and what its MAC is over. */
export const sealContentOf = ({ sealedAt, mac, ...content }: Seal): SealContent => content;

/** Seals and the results of verifications, in the table of the audit trail. */
export class SealStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /**
   * Adds a seal where there is none.
   *
   * @returns whether it was added.
   */
  add(seal: Seal, retentionDays: number): Promise<boolean> {
    const expiresAt = expiryOf(seal.day, retentionDays);
    return this.#add({ ...seal, pk: sealPartition, sk: sealKey(seal.day, seal.lane), expiresAt });
  }

  /** The seals of that day and of all days after it, oldest first. A thing that is no seal counts as none. */
  async since(day: string): Promise<readonly Seal[]> {
    return this.#query({ from: sealKey(day), forward: true, limit: maximumSeals });
  }

  /** The seals of the last days, newest first. */
  latest(days: number): Promise<readonly Seal[]> {
    return this.#query({ from: '', forward: false, limit: days * laneCount });
  }

  addVerification(result: AuditVerification, retentionDays: number): Promise<boolean> {
    const expiresAt = expiryOf(result.to, retentionDays);
    return this.#add({ ...result, pk: verificationPartition, sk: result.at, expiresAt });
  }

  async lastVerification(): Promise<AuditVerification | undefined> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': verificationPartition },
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    return auditVerificationSchema.optional().parse(withoutKeys(Items[0]));
  }

  async #query({ from, forward, limit }: { from: string; forward: boolean; limit: number }): Promise<Seal[]> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND sk >= :from',
        ExpressionAttributeValues: { ':pk': sealPartition, ':from': from === '' ? '0' : from },
        ConsistentRead: true,
        ScanIndexForward: forward,
        Limit: limit,
      }),
    );
    return Items.flatMap((item) => {
      const { success, data } = sealSchema.safeParse(withoutKeys(item));
      return success && sealKey(data.day, data.lane) === item.sk ? [data] : [];
    });
  }

  async #add(item: Record<string, unknown>): Promise<boolean> {
    return holds(() =>
      this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: item,
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
  }
}

const sealKey = (day: string, lane?: number): string =>
  lane === undefined ? day : `${day}#${sequenceKey(lane)}`;

function withoutKeys(item: Record<string, unknown> | undefined): unknown {
  if (item === undefined) return undefined;
  const { pk, sk, expiresAt, ...rest } = item;
  return rest;
}
