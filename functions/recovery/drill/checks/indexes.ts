import { qualifiedName } from '../../snapshot/sql.ts';
import { type Check, ofUser, type Subject } from './check.ts';

interface Found {
  readonly schema: string;
  readonly name: string;
  readonly constraint: string | null;
  readonly valid: boolean;
}

/**
 * Every index can be used, and every primary key, unique and exclusion constraint has its index. That none is missing follows
 * from the restore: a statement of the stored DDL that fails, fails the restore.
 */
export const indexes: Check = {
  kind: 'indexes',
  async list(client) {
    const { rows } = await client.query<Found>(listSql);
    return rows.map(
      (found): Subject => ({
        name: qualifiedName(found),
        look: async () => {
          if (found.valid) return undefined;
          const of = found.constraint === null ? '' : ` of the constraint "${found.constraint}"`;
          return { object: qualifiedName(found), problem: `The index${of} is not valid: no query uses it.` };
        },
      }),
    );
  },
};

const listSql = `
  SELECT n.nspname AS schema, c.relname AS name, con.conname AS constraint,
         i.indisvalid AND i.indisready AND i.indislive AS valid
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
   WHERE ${ofUser('n')}
  UNION ALL
  SELECT n.nspname, t.relname, con.conname, false
    FROM pg_catalog.pg_constraint con
    JOIN pg_catalog.pg_class t ON t.oid = con.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
   WHERE con.contype IN ('p', 'u', 'x') AND ${ofUser('n')}
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indexrelid = con.conindid)
   ORDER BY 1, 2`;
