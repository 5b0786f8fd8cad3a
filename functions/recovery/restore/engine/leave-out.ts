import { sqlState } from '../../snapshot/sql.ts';
import type { LeftOut } from '../model.ts';
import type { DumpEntry } from './statements.ts';

const insufficientPrivilege = '42501';
const featureNotSupported = '0A000';
/** What SET ROLE says of a role that does not exist. */
const invalidParameter = '22023';
const foreignKeyViolation = '23503';
/** Something that a statement names is not there: an object, a function, a table, a schema. */
const undefinedThings: ReadonlySet<string> = new Set(['42704', '42883', '42P01', '3F000']);

/** Without these there would be no place for rows, or another one. */
const essential =
  /^(CREATE (UNLOGGED |FOREIGN )?TABLE|ALTER TABLE [^;]* (ATTACH PARTITION|ADD GENERATED|INHERIT)|CREATE (SCHEMA|TYPE|DOMAIN|SEQUENCE))\b/;
/** Statements whose only names that may be missing are those of roles, or of something that was left out itself. */
const aboutRoles =
  /^(ALTER [\s\S]* OWNER TO|GRANT|REVOKE|SET ROLE|ALTER DEFAULT PRIVILEGES|CREATE POLICY|COMMENT ON|(CREATE|ALTER) (EVENT TRIGGER|PUBLICATION|SUBSCRIPTION|USER MAPPING))\b/;

export interface LeaveOutContext {
  /** Whether rows of some tables only are restored. */
  readonly partial: boolean;
  /** Whether the DDL is of one schema only. */
  readonly oneSchema: boolean;
  /** Whether something was left out already, which others may depend on. */
  readonly leftOutBefore: boolean;
}

/**
 * Whether a restore goes on without a statement: one that the role may not run here, one about a role that this cluster
 * does not have, one about something that was left out or is in a schema that the backup is not of, and in a partial
 * restore a foreign key to rows that are missing.
 * Never one that makes a place for rows.
 */
export function mayLeaveOut(
  error: unknown,
  { type }: DumpEntry,
  statement: string,
  { partial, oneSchema, leftOutBefore }: LeaveOutContext,
): boolean {
  const state = sqlState(error);
  if (state === undefined || essential.test(statement)) return false;
  if (state === foreignKeyViolation) return partial && type === 'FK CONSTRAINT';
  if (state === insufficientPrivilege) return true;
  if (state === invalidParameter) return /^SET ROLE/.test(statement);
  if (state === featureNotSupported) return type === 'EXTENSION' || type === 'SUBSCRIPTION';
  return undefinedThings.has(state) && (leftOutBefore || oneSchema || aboutRoles.test(statement));
}

const longestStatement = 2_000;

/** How a statement that was left out is reported. Passwords in it are not. */
export function leftOutOf(entry: DumpEntry, statement: string, error: unknown): LeftOut {
  const shown = statement
    .replace(/(\bpassword\s*=?\s*)'(?:[^']|'')*'/gi, "$1'…'")
    .replace(/(\bCONNECTION\s+)'(?:[^']|'')*'/g, "$1'…'");
  return {
    object: describeEntry(entry),
    reason: error instanceof Error ? error.message : String(error),
    statement: shown.slice(0, longestStatement),
  };
}

/** How an object is called in messages. */
export function describeEntry({ type, schema, name }: Pick<DumpEntry, 'type' | 'schema' | 'name'>): string {
  const place = schema === '-' || schema === '' ? '' : ` in schema ${schema}`;
  return `${type} ${name}${place}`.trim();
}
