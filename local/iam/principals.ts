import type { Principal } from '../aws/operation.ts';
import type { StatementPrincipals } from './policy.ts';

/**
 * How a statement names a principal: `directly` (itself or everyone), `by account` (its whole
 * account, which delegates to identity policies), or not at all.
 */
export type Naming = 'directly' | 'by account' | 'no';

/** How the principals of a statement name whoever makes a call. */
export function naming(principals: StatementPrincipals | undefined, principal: Principal): Naming {
  if (principals === undefined) return 'no';
  if (principals.everyone) return 'directly';
  if (principal.kind === 'service') return principals.services.includes(principal.arn) ? 'directly' : 'no';
  if (principal.kind !== 'role') return 'no';
  if (principals.aws.includes(principal.roleArn) || principals.aws.includes(principal.arn)) return 'directly';
  const account = principal.roleArn.split(':')[4] ?? '';
  return principals.aws.some((name) => name === account || name === `arn:aws:iam::${account}:root`)
    ? 'by account'
    : 'no';
}
