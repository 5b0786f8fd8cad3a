import { NotReadyError } from '../errors.ts';
import { sqlState } from './sql.ts';

/** Where a connection was to lead, and as whom. */
export interface Login {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

/** What to look at, by the beginning of the SQLSTATE that the server refused the login with. */
const refusals: readonly (readonly [state: string, question: string])[] = [
  [
    '28',
    'Does the role exist, is it a member of rds_iam, and may the function connect as it (rds-db:connect)?',
  ],
  ['3D', 'Is this the database that the shard is configured with?'],
  ['53', 'Has the instance connections and memory left?'],
  ['57', 'Is the instance starting or shutting down?'],
];
const unanswered = 'Is the instance running, and do the security groups let the function in?';

/** Says of a connection that was not made where it was to lead and what to look at. Another try may succeed. */
export function connectError(error: unknown, { user, host, port, database }: Login): NotReadyError {
  const state = sqlState(error);
  const question = refusals.find(([start]) => state?.startsWith(start))?.[1] ?? unanswered;
  const message = error instanceof Error ? error.message : String(error);
  return new NotReadyError(`${user} cannot connect to ${host}:${port}/${database}: ${message}. ${question}`, {
    cause: error,
  });
}
