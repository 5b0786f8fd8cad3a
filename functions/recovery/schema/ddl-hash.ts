import { sha256Of } from '../hash.ts';

/** What pg_dump writes that says nothing about the database: versions, and the random key that psql's `\restrict` takes. */
const aboutTheDump = /^(\\(un)?restrict |-- Dumped (from|by) )/;

/** SHA-256 of DDL, the same for every dump of the same schema by the same pg_dump. */
export const ddlHash = (sql: string): string =>
  sha256Of(
    sql
      .split('\n')
      .filter((line) => !aboutTheDump.test(line))
      .join('\n'),
  );
