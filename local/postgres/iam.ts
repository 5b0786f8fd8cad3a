import type { CredentialStore } from '../aws/credentials.ts';
import type { Authorization, Principal } from '../aws/operation.ts';
import { verifyRdsToken } from '../aws/rds-token.ts';
import type { TokenCheck } from './proxy/backend.ts';

export interface IamOptions {
  credentials: CredentialStore;
  /** Throws unless IAM allows it. */
  authorizer: { check(principal: Principal, authorization: Authorization): void };
  region: string;
  accountId: string;
}

/** The names of this machine that endpoints have. */
const localHosts = new Set(['127.0.0.1', '127.0.0.2', 'localhost']);

/**
 * Checks IAM tokens as an Aurora cluster does: the signature, the endpoint and the user it was made
 * for, its 15 minutes, and that IAM allows its bearer `rds-db:connect` as that user, in the cluster's region.
 */
export function iamTokenCheck({ credentials, authorizer, region, accountId }: IamOptions): TokenCheck {
  return ({ token, user, port, resourceId, region: own = region }) => {
    const claim = verifyRdsToken(token, credentials);
    if (!localHosts.has(claim.host) || claim.port !== port) {
      throw new Error(`The token was made for ${claim.host}:${claim.port}, not for port ${port}`);
    }
    if (claim.user !== user) throw new Error(`The token was made for the user "${claim.user}"`);
    // A host on AWS tells its region, and tokens are signed for that; an address of this machine does not.
    if (claim.region !== own && claim.region !== region) {
      throw new Error(`The token is signed for ${claim.region}, not for ${own}`);
    }
    authorizer.check(claim.principal, {
      action: 'rds-db:connect',
      resource: `arn:aws:rds-db:${own}:${accountId}:dbuser:${resourceId}/${user}`,
      context: { 'aws:RequestedRegion': own },
    });
  };
}
