import { type Authorization, AwsError, type Principal } from '../aws/operation.ts';
import { isKnownConditionKey } from './condition-keys.ts';
import type { RequestContext } from './conditions.ts';
import { type PolicyDocument, parsePolicy, type Statement } from './policy.ts';
import { naming } from './principals.ts';

export interface RolePolicies {
  /** Who may assume the role. */
  trust: PolicyDocument;
  /** Inline and managed policies, each a whole document. */
  policies: readonly PolicyDocument[];
}

interface Role {
  trust: Statement[];
  identity: Statement[];
}

/**
 * Decides what principals may do, as IAM does within one account: an explicit deny wins; else an
 * identity policy or a resource policy that names the principal allows. KMS keys and roles want
 * their own policy's consent; naming the account there leaves the decision to identity policies.
 *
 * Permission boundaries, session policies and organizations are not known here.
 */
export class Authorizer {
  readonly #accountId: string;
  readonly #region: string;
  readonly #roles = new Map<string, Role>();
  readonly #resources = new Map<string, Statement[]>();

  constructor(options: { accountId?: string; region?: string } = {}) {
    this.#accountId = options.accountId ?? '000000000000';
    this.#region = options.region ?? 'us-east-1';
  }

  /** Creates or replaces a role. Throws an `Error` naming what in a document is not known here. */
  setRole(roleArn: string, role: RolePolicies): void {
    this.#roles.set(roleArn, {
      trust: parsePolicy(`${roleArn} (trust)`, role.trust, 'trust'),
      identity: role.policies.flatMap((document) => parsePolicy(roleArn, document, 'identity')),
    });
  }

  removeRole(roleArn: string): void {
    this.#roles.delete(roleArn);
  }

  /**
   * Sets the policy of a bucket, key, topic, queue, secret, function, bus or table, by its ARN. Throws
   * an `Error` naming what in the document is not known here.
   */
  setResourcePolicy(arn: string, document: PolicyDocument): void {
    this.#resources.set(arn, parsePolicy(arn, document, 'resource'));
  }

  removeResourcePolicy(arn: string): void {
    this.#resources.delete(arn);
  }

  /** Throws `AccessDenied` (403), naming principal, action and resource, unless the call is allowed. */
  check(principal: Principal, authorization: Authorization): void {
    if (principal.kind === 'operator') return;
    const { action, resource } = authorization;
    const context = this.#context(principal, authorization);
    const covering = (statements: readonly Statement[]) =>
      statements.filter((statement) => statement.covers(action, resource, context));
    const identity = covering(this.#identityOf(principal));
    const attached = covering(this.#policyOf(action, resource)).map((statement) => ({
      effect: statement.effect,
      named: naming(statement.principals, principal),
    }));
    const refuse = (reason: string) =>
      new AwsError(
        'AccessDenied',
        `User: ${principal.arn} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`,
        403,
      );

    if (identity.some(({ effect }) => effect === 'Deny')) {
      throw refuse('with an explicit deny in an identity-based policy');
    }
    if (attached.some(({ effect, named }) => effect === 'Deny' && named !== 'no')) {
      throw refuse('with an explicit deny in a resource-based policy');
    }
    const allows = attached.filter(({ effect }) => effect === 'Allow');
    if (allows.some(({ named }) => named === 'directly')) return;
    const ownConsent =
      needsOwnPolicy(action, resource) && !allows.some(({ named }) => named === 'by account');
    if (ownConsent || principal.kind !== 'role') {
      throw refuse(`because no resource-based policy allows the ${action} action`);
    }
    if (identity.length === 0) throw refuse(`because no identity-based policy allows the ${action} action`);
  }

  #identityOf(principal: Principal): readonly Statement[] {
    return principal.kind === 'role' ? (this.#roles.get(principal.roleArn)?.identity ?? []) : [];
  }

  #policyOf(action: string, resource: string): readonly Statement[] {
    if (action.toLowerCase() === 'sts:assumerole') return this.#roles.get(resource)?.trust ?? [];
    return this.#resources.get(resource) ?? this.#resources.get(ownerOf(resource)) ?? [];
  }

  #context(principal: Principal, { action, context = {} }: Authorization): RequestContext {
    const now = Date.now();
    const isService = principal.kind === 'service';
    const values: Record<string, string | readonly string[] | undefined> = {
      'aws:CurrentTime': new Date(now).toISOString(),
      'aws:EpochTime': String(Math.floor(now / 1000)),
      'aws:PrincipalAccount': principal.kind === 'role' ? this.#accountId : undefined,
      'aws:PrincipalArn': principal.kind === 'role' ? principal.roleArn : undefined,
      'aws:PrincipalIsAWSService': String(isService),
      'aws:PrincipalServiceName': isService ? principal.arn : undefined,
      'aws:PrincipalType': principal.kind === 'role' ? 'AssumedRole' : isService ? 'AWSService' : 'Anonymous',
      'aws:RequestedRegion': this.#region,
      'aws:ResourceAccount': this.#accountId,
      // The loopback interface stands in for TLS.
      'aws:SecureTransport': 'true',
      'aws:SourceAccount': isService ? this.#accountId : undefined,
      'aws:SourceArn': isService ? principal.sourceArn : undefined,
      'aws:SourceOwner': isService ? this.#accountId : undefined,
      'aws:ViaAWSService': String(context['kms:ViaService'] !== undefined),
      'kms:CallerAccount': action.startsWith('kms:') ? this.#accountId : undefined,
      ...context,
    };
    const result = new Map<string, readonly string[]>();
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) continue;
      if (!isKnownConditionKey(key)) {
        throw new Error(
          `${action} gives the condition key ${key}, which local/iam/condition-keys.ts does not list`,
        );
      }
      result.set(key.toLowerCase(), typeof value === 'string' ? [value] : value);
    }
    return result;
  }
}

/** KMS keys and roles are closed to identity policies unless their own policy opens them. */
function needsOwnPolicy(action: string, resource: string): boolean {
  return action.toLowerCase() === 'sts:assumerole' || /^arn:[^:]+:kms:[^:]+:[^:]+:key\//.test(resource);
}

/** The ARN whose policy speaks for a resource that has none of its own: an object's bucket, an index's table. */
function ownerOf(resource: string): string {
  if (resource.startsWith('arn:aws:s3:::')) return resource.split('/', 1)[0] ?? resource;
  return /^(arn:[^:]+:dynamodb:[^:]+:[^:]+:table\/[^/]+)\//.exec(resource)?.[1] ?? resource;
}
