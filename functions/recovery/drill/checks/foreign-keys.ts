import type { Client } from 'pg';
import { qualifiedName, quoteIdentifier } from '../../snapshot/sql.ts';
import { type Check, ofUser, type Subject, type Wrong } from './check.ts';

interface ForeignKey {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly parted: boolean;
  readonly otherSchema: string;
  readonly other: string;
  readonly otherParted: boolean;
  readonly validated: boolean;
  readonly enforced: boolean;
  readonly period: boolean;
  readonly full: boolean;
  /** Position by position: the column, what it refers to, and the operator that compares them. */
  readonly columns: readonly { own: string; other: string; operator: string; operatorSchema: string }[];
}

/**
 * Every foreign key holds. Of one that is marked as validated PostgreSQL has compared all rows itself when the restore
 * created it, after they were loaded; one that is not (`NOT VALID`) is compared here. `NOT ENFORCED` promises nothing.
 */
export const foreignKeys: Check = {
  kind: 'foreign-keys',
  async list(client) {
    const { rows } = await client.query<ForeignKey>(listSql);
    return rows.map((key): Subject => ({ name: nameOf(key), look: (own) => look(own, key) }));
  },
};

const nameOf = ({ name, schema, table }: ForeignKey): string =>
  `${quoteIdentifier(name)} of ${qualifiedName({ schema, name: table })}`;

async function look(client: Client, key: ForeignKey): Promise<Wrong | undefined> {
  if (key.validated || !key.enforced) return undefined;
  const object = nameOf(key);
  if (key.period)
    return { object, problem: 'It is not validated; periods are compared by VALIDATE CONSTRAINT only.' };
  const { rowCount } = await client.query(danglingSql(key));
  if (rowCount === 0) return undefined;
  const other = qualifiedName({ schema: key.otherSchema, name: key.other });
  return { object, problem: `It is not valid: a row refers to one that ${other} does not have.` };
}

/** As PostgreSQL does it itself for VALIDATE CONSTRAINT. */
function danglingSql(key: ForeignKey): string {
  const from = (parted: boolean) => (parted ? '' : 'ONLY ');
  const matches = key.columns.map(
    ({ own, other, operator, operatorSchema }) =>
      `pk.${quoteIdentifier(other)} OPERATOR(${quoteIdentifier(operatorSchema)}.${operator}) fk.${quoteIdentifier(own)}`,
  );
  const given = key.columns.map(({ own }) => `fk.${quoteIdentifier(own)} IS NOT NULL`);
  const [first] = key.columns;
  return `SELECT 1 FROM ${from(key.parted)}${qualifiedName({ schema: key.schema, name: key.table })} fk
    LEFT JOIN ${from(key.otherParted)}${qualifiedName({ schema: key.otherSchema, name: key.other })} pk
      ON (${matches.join(' AND ')})
    WHERE pk.${quoteIdentifier(first?.other ?? '')} IS NULL AND (${given.join(key.full ? ' OR ' : ' AND ')}) LIMIT 1`;
}

// Columns that PostgreSQL has only since 18 are read as JSON. Constraints of partitions are those of their parents.
const listSql = `
  SELECT con.conname AS name, n.nspname AS schema, c.relname AS table, c.relkind = 'p' AS parted,
         fn.nspname AS "otherSchema", f.relname AS other, f.relkind = 'p' AS "otherParted",
         con.convalidated AS validated, coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true) AS enforced,
         coalesce((to_jsonb(con) ->> 'conperiod')::boolean, false) AS period, con.confmatchtype = 'f' AS full,
         (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                   'own', own.attname, 'other', other.attname, 'operator', o.oprname, 'operatorSchema', opn.nspname)
                 ORDER BY k.position)
            FROM unnest(con.conkey, con.confkey, con.conpfeqop) WITH ORDINALITY AS k (own, other, operator, position)
            JOIN pg_catalog.pg_attribute own ON own.attrelid = con.conrelid AND own.attnum = k.own
            JOIN pg_catalog.pg_attribute other ON other.attrelid = con.confrelid AND other.attnum = k.other
            JOIN pg_catalog.pg_operator o ON o.oid = k.operator
            JOIN pg_catalog.pg_namespace opn ON opn.oid = o.oprnamespace) AS columns
    FROM pg_catalog.pg_constraint con
    JOIN pg_catalog.pg_class c ON c.oid = con.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class f ON f.oid = con.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
   WHERE con.contype = 'f' AND con.conparentid = 0 AND ${ofUser('n')}
   ORDER BY n.nspname, c.relname, con.conname`;
