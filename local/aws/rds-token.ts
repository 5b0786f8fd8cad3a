import { parseQuery } from './canonical-request.ts';
import type { CredentialStore } from './credentials.ts';
import type { Principal } from './operation.ts';
import { readSignature, SignatureError, verifySignature } from './sigv4.ts';

/** A database token whose signature holds. What its bearer may do has not been checked. */
export interface RdsToken {
  principal: Principal;
  /** Host and port the token was made for; the server compares them with its own. */
  host: string;
  port: number;
  user: string;
  /** The region it is signed for. */
  region: string;
}

/**
 * Verifies an RDS IAM token: `host:port/?Action=connect&DBUser=…&X-Amz-…`, a URL without its scheme,
 * presigned for the service `rds-db`, valid for 15 minutes. A server asks IAM for `rds-db:connect`
 * afterwards.
 *
 * Throws {@link SignatureError} when anything about it does not hold.
 */
export function verifyRdsToken(token: string, credentials: CredentialStore, now = Date.now()): RdsToken {
  const match = /^([^/?#\s]+):(\d{1,5})(\/?\?\S+)$/.exec(token);
  if (!match?.[1] || !match[2] || !match[3]) throw new SignatureError('malformed', 'Not an RDS token');
  const [, host, port, query] = match;
  const url = query.startsWith('/') ? query : `/${query}`;
  const request = { method: 'GET', url, rawHeaders: ['host', `${host}:${port}`] };
  const claim = readSignature(request);
  if (claim?.kind !== 'presigned') throw new SignatureError('missing', 'The RDS token is not signed');
  if (claim.scope.service !== 'rds-db') {
    throw new SignatureError('malformed', `The token is signed for ${claim.scope.service}, not for rds-db`);
  }
  if ((claim.expiresIn ?? 0) > 900)
    throw new SignatureError('malformed', 'An RDS token lasts 900 seconds at most');
  const parameters = new Map(parseQuery(url));
  const user = parameters.get('DBUser');
  if (parameters.get('Action') !== 'connect' || !user) {
    throw new SignatureError('malformed', 'An RDS token has Action=connect and a DBUser');
  }
  const { principal } = verifySignature(request, claim, credentials, undefined, now);
  return { principal, host, port: Number(port), user, region: claim.scope.region };
}
