import { timingSafeEqual } from 'node:crypto';
import {
  type CredentialScope,
  canonicalRequest,
  emptyPayloadHash,
  headerValues,
  type SignedRequest,
  signature,
} from './canonical-request.ts';
import type { CredentialStore } from './credentials.ts';
import type { Principal } from './operation.ts';
import { parseBasicDate, type SignatureClaim, SignatureError } from './signature-claim.ts';

export {
  readSignature,
  type SignatureClaim,
  SignatureError,
  type SignatureFault,
} from './signature-claim.ts';

export interface VerifiedSignature {
  principal: Principal;
  scope: CredentialScope;
}

/** How far a client's clock may be off, in milliseconds. */
const allowedSkew = 15 * 60_000;

/**
 * Verifies a claim: access key, session token, clock, expiry, signed headers, and the signature
 * itself in constant time.
 *
 * `payloadHash` stands in where the claim names none. `now` is in milliseconds since the epoch.
 * Throws {@link SignatureError}.
 */
export function verifySignature(
  request: SignedRequest,
  claim: SignatureClaim,
  credentials: CredentialStore,
  payloadHash = emptyPayloadHash,
  now = Date.now(),
): VerifiedSignature {
  const owner = credentials.resolve(claim.accessKeyId, claim.sessionToken);
  if (!owner) {
    throw new SignatureError('unknown-key', 'The security token included in the request is invalid.');
  }
  if (owner.expiresAt !== undefined && owner.expiresAt <= now) {
    throw new SignatureError('token-expired', 'The security token included in the request is expired');
  }
  checkTime(claim, now);
  checkSignedHeaders(request, claim);
  const canonical = canonicalRequest(
    request,
    claim.scope.service,
    claim.signedHeaders,
    claim.payloadHash ?? payloadHash,
  );
  const expected = signature(owner.secretAccessKey, claim.scope, claim.date, canonical);
  if (!equal(expected, claim.signature)) {
    throw new SignatureError(
      'mismatch',
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method.',
    );
  }
  return { principal: owner.principal, scope: claim.scope };
}

function checkTime(claim: SignatureClaim, now: number): void {
  const signedAt = parseBasicDate(claim.date);
  if (!claim.date.startsWith(claim.scope.date)) {
    throw new SignatureError('mismatch', `Credential date ${claim.scope.date} is not that of ${claim.date}`);
  }
  if (signedAt - now > allowedSkew) {
    throw new SignatureError(
      'skewed',
      `Signature not yet current: ${claim.date} is later than the clock here`,
    );
  }
  if (claim.expiresIn === undefined) {
    if (now - signedAt > allowedSkew) {
      throw new SignatureError('skewed', `Signature expired: ${claim.date} is more than 15 minutes ago`);
    }
  } else if (now > signedAt + claim.expiresIn * 1000) {
    throw new SignatureError('url-expired', 'Request has expired');
  }
}

/** Everything that can change what a request does has to be signed. */
function checkSignedHeaders(request: SignedRequest, claim: SignatureClaim): void {
  const signed = new Set(claim.signedHeaders);
  if (!signed.has('host')) throw new SignatureError('malformed', "'host' must be a signed header");
  for (const name of headerValues(request.rawHeaders).keys()) {
    const ignorable = name === 'x-amz-content-sha256' && claim.kind === 'presigned';
    if (name.startsWith('x-amz-') && !signed.has(name) && !ignorable) {
      throw new SignatureError(
        'unsigned-headers',
        `Header '${name}' is present in the request but not signed`,
      );
    }
  }
}

function equal(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}
