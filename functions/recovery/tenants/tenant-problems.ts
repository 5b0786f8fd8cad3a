import type { ShardParts } from '../manifest/assemble.ts';
import type { StoredObject } from '../workflow.ts';
import { selectionContext, tenantContext } from './context.ts';

/**
 * What of a shard was not stored as what it is to be: of that tenant, of another, or of all. Each object says so itself, by
 * the encryption context that it was made with; so a function that knew nothing of the tenant cannot have made one of it.
 */
export function tenantProblems({ record, description, chunks, tenant }: ShardParts): string[] {
  const said = description.tenant;
  if (said?.id !== tenant?.id || said?.by !== tenant?.by) return ['it was described for another tenant'];
  const selections = new Map(description.tables.map(({ oid, selection }) => [oid, selection]));
  const objects = [
    ...[record['pre-data'], record['post-data'], record.sequences],
    ...chunks.flatMap((chunk) => chunk.objects),
  ].filter((object): object is StoredObject => object !== undefined);
  return objects.flatMap(({ key, context, rows }) => {
    const selection = rows && selections.get(rows.range.oid) === 'tenant' ? 'tenant' : 'all';
    const expected = { ...tenantContext(tenant), ...(rows && selectionContext(tenant, selection)) };
    const names = ['mainstay:tenant', 'mainstay:selection'];
    const same = names.every((name) => context[name] === expected[name]);
    return same ? [] : [`${key} is not of the tenant's part`];
  });
}
