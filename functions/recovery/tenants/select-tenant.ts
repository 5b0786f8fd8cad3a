import { Problem } from '../../shared/problem.ts';
import { isName, type Tenant, type TenantSelection, type TenantsConfig } from './model.ts';

/** Schemas that are the server's own. */
const ownSchemas = /^(pg_|information_schema$)/i;

/**
 * What says which rows are a tenant's, by the deployment's configuration.
 *
 * @param field in which the tenant was named.
 * @throws Problem 422 naming the field: tenants are not told apart in that way, or the id makes no name of a schema.
 */
export function selectTenant(
  config: TenantsConfig | undefined,
  { id, by }: Tenant,
  field = 'body.tenant',
): TenantSelection {
  const refuse = (part: string, message: string): never => {
    throw new Problem('unprocessable-request', 'A tenant cannot be chosen like this.', {
      errors: [{ field: `${field}.${part}`, message }],
    });
  };
  if (by === 'key') {
    const { key } = config ?? {};
    return key === undefined
      ? refuse('by', 'the deployment names no key column: `backup.tenants.key` of its configuration')
      : { id, by, ...key };
  }
  const template = config?.schema;
  if (template === undefined) {
    return refuse(
      'by',
      'the deployment names no schemas of tenants: `backup.tenants.schema` of its configuration',
    );
  }
  // A function: in a text, `$&` and the like would mean something.
  const schema = template.replace('{id}', () => id);
  if (!isName(schema)) return refuse('id', 'makes a name of a schema that is longer than 63 bytes');
  if (ownSchemas.test(schema))
    return refuse('id', 'makes the name of a schema that PostgreSQL keeps to itself');
  return { id, by, schema };
}
