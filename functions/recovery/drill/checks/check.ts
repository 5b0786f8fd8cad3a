import type { Client } from 'pg';
import { sqlState } from '../../snapshot/sql.ts';
import type { CheckKind } from '../model.ts';

/** What is wrong with one thing. */
export interface Wrong {
  readonly object: string;
  readonly problem: string;
}

/** One kind of check of a restored database: what there is to look at, and one look at a time. */
export interface Check {
  readonly kind: CheckKind;
  /** Lists what there is, in an order that is the same each time. */
  list(client: Client): Promise<readonly Subject[]>;
}

export interface Subject {
  /** What a finding about it says it is about. */
  readonly name: string;
  /** @returns what is wrong; nothing when all is well. */
  look(client: Client): Promise<Wrong | undefined>;
}

const queryCanceled = '57014';
/** The server, not the statement: lost, shutting down, out of resources. */
const ofServer = /^(08|53|57P|58)/;

/** Whether an error says something about what was looked at, and not about the server or the way to it. */
export function isAboutStatement(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !ofServer.test(state);
}

/** What an error of a statement is reported as. */
export function errorText(error: unknown, timeoutSeconds: number): string {
  if (sqlState(error) === queryCanceled) return `It took longer than ${timeoutSeconds} s and was given up.`;
  const said = error instanceof Error ? error.message : String(error);
  return `PostgreSQL refused it: ${said.replaceAll(/\s+/g, ' ').slice(0, 300)}`;
}

/** Schemas of the system, and those that only a session has. */
export const ofUser = (namespace: string): string =>
  `${namespace}.nspname !~ '^pg_' AND ${namespace}.nspname <> 'information_schema'`;
