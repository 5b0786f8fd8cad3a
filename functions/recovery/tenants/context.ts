import type { ShardTenant } from './model.ts';

/**
 * What the encryption context of every object of a tenant's backup says besides. It is authenticated with the object, and
 * stands in the manifest and in CloudTrail as it is.
 */
export const tenantContext = (tenant: Pick<ShardTenant, 'id'> | undefined): Record<string, string> =>
  tenant === undefined ? {} : { 'mainstay:tenant': tenant.id };

/** The same of an object of rows: whether they are all of their blocks, or the tenant's among them. */
export const selectionContext = (
  tenant: Pick<ShardTenant, 'id'> | undefined,
  selection: 'all' | 'tenant',
): Record<string, string> => (tenant === undefined ? {} : { 'mainstay:selection': selection });
