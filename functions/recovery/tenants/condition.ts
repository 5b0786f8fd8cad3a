import * as z from 'zod';
import { quoteIdentifier, quoteLiteral } from '../snapshot/sql.ts';

/** A column that names the tenant of a row. */
export const tenantKeySchema = z.strictObject({
  column: z.string(),
  /** What its values are compared as. */
  type: z.enum(['text', 'bpchar', 'uuid', 'int8']),
  /** Whether its collation may call different texts equal: then bytes are compared. */
  loose: z.boolean(),
});
export type TenantKey = z.output<typeof tenantKeySchema>;

/**
 * The condition that a row is the tenant's, in SQL. A row that names no tenant is nobody's. Only the very id is the tenant's:
 * not one that a collation calls equal.
 */
export function tenantCondition({ column, type, loose }: TenantKey, id: string): string {
  const collation = loose ? ' COLLATE pg_catalog."C"' : '';
  return `${quoteIdentifier(column)}${collation} = ${quoteLiteral(id)}::pg_catalog.${type}`;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const maxInt8 = 2n ** 63n;

/** Whether a column of that type could name a tenant of that id. */
export function canName(type: TenantKey['type'], id: string): boolean {
  if (type === 'uuid') return uuid.test(id);
  if (type !== 'int8') return true;
  return /^(0|-?[1-9]\d{0,18})$/.test(id) && BigInt(id) < maxInt8 && BigInt(id) >= -maxInt8;
}
