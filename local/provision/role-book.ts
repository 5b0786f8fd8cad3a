import type { Authorizer } from '../iam/authorizer.ts';
import { managedPolicy } from './managed-policies.ts';

interface Entry {
  trust: unknown;
  /** Policy documents by where they come from, so that attaching one again replaces it. */
  policies: Map<string, unknown>;
}

/**
 * The roles of all stacks. A template attaches policies to a role in separate resources; each
 * change gives the authorizer the role's policies as a whole.
 */
export class RoleBook {
  readonly #authorizer: Authorizer;
  readonly #accountId: string;
  readonly #roles = new Map<string, Entry>();
  /** Policies attached to a role that is created later. */
  readonly #early = new Map<string, Map<string, unknown>>();

  constructor(authorizer: Authorizer, accountId: string) {
    this.#authorizer = authorizer;
    this.#accountId = accountId;
  }

  arnOf(roleName: string): string {
    return `arn:aws:iam::${this.#accountId}:role/${roleName}`;
  }

  /** Creates a role with its inline policies and the AWS managed policies it names. */
  create(
    roleName: string,
    role: { trust: unknown; inline: Readonly<Record<string, unknown>>; managedArns: readonly string[] },
  ): void {
    const policies = new Map(this.#early.get(roleName));
    for (const [name, document] of Object.entries(role.inline)) policies.set(`inline/${name}`, document);
    for (const arn of role.managedArns) policies.set(arn, managedPolicy(arn));
    this.#roles.set(roleName, { trust: role.trust, policies });
    this.#publish(roleName);
  }

  /** Attaches a policy to a role, in place of an earlier one of the same name. */
  attach(roleName: string, policyName: string, document: unknown): void {
    const entry = this.#roles.get(roleName);
    if (entry === undefined) {
      const early = this.#early.get(roleName) ?? new Map();
      this.#early.set(roleName, early.set(policyName, document));
      return;
    }
    entry.policies.set(policyName, document);
    this.#publish(roleName);
  }

  #publish(roleName: string): void {
    const entry = this.#roles.get(roleName);
    if (entry === undefined) return;
    const policies = [...entry.policies.values()];
    this.#authorizer.setRole(this.arnOf(roleName), { trust: entry.trust, policies });
  }
}
