import type { RoleFacts } from '../roles.ts';

/** The server that a connection goes to. */
export interface Backend {
  socketPath: string;
  /** Facts of the role; undefined when there is none of that name. @throws when the server does not answer. */
  role(name: string): Promise<RoleFacts | undefined>;
  /** Writes a line to the server's log; resolves when it is there. */
  log(line: string): Promise<void>;
}

/** What a client presents in place of a password, and where. */
export interface TokenClaim {
  token: string;
  /** The database user that wants to connect. */
  user: string;
  /** Port of the endpoint the client came to. */
  port: number;
  /** `DbClusterResourceId` of the cluster behind it. */
  resourceId: string;
  /** Region of that cluster; undefined: the runtime's. */
  region?: string | undefined;
}

/**
 * Decides over a client that presents an IAM token: it has to be genuine, made for this endpoint and
 * user, and IAM has to allow `rds-db:connect`.
 *
 * @throws with the reason, which goes to the server's log and not to the client.
 */
export type TokenCheck = (claim: TokenClaim) => void | Promise<void>;
