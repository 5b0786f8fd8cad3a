import type { EntryContent } from './model.ts';

/** Which entries to list. */
export interface AuditQuery {
  /** Milliseconds since the epoch; the first moment that counts. */
  readonly from: number;
  /** The first moment that does not. */
  readonly to: number;
  readonly keyId?: string | undefined;
  readonly tenant?: string | undefined;
  /** How the action begins. */
  readonly action?: string | undefined;
  readonly outcome?: EntryContent['outcome'] | undefined;
  readonly limit: number;
  /** Where the page before has ended. */
  readonly before?: string | undefined;
}

/** The part of a query that DynamoDB checks for each item. */
export function filterOf({ keyId, tenant, action, outcome }: AuditQuery) {
  const conditions: string[] = [];
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const add = (condition: string, attributes: readonly string[], value: unknown) => {
    if (value === undefined) return;
    for (const attribute of attributes) names[`#${attribute}`] = attribute;
    values[`:${attributes.at(-1)}`] = value;
    conditions.push(condition);
  };
  add('#actor.#keyId = :keyId', ['actor', 'keyId'], keyId);
  add('#actor.#tenant = :tenant', ['actor', 'tenant'], tenant);
  add('begins_with(#action, :action)', ['action'], action);
  add('#outcome = :outcome', ['outcome'], outcome);
  return {
    ...(conditions.length === 0 ? {} : { FilterExpression: conditions.join(' AND ') }),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
