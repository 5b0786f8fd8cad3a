import type { Authorizer } from '../iam/authorizer.ts';

/**
 * Policies of resources that several template resources contribute to, such as a function's: each
 * statement has a key, and the authorizer gets the whole.
 */
export class ResourcePolicies {
  readonly #authorizer: Authorizer;
  readonly #statements = new Map<string, Map<string, readonly unknown[]>>();

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  /** Sets the statements that `key` contributes to the policy of `arn`. */
  contribute(arn: string, key: string, statements: readonly unknown[]): void {
    const contributions = this.#statements.get(arn) ?? new Map<string, readonly unknown[]>();
    contributions.set(key, statements);
    this.#statements.set(arn, contributions);
    const Statement = [...contributions.values()].flat();
    this.#authorizer.setResourcePolicy(arn, { Version: '2012-10-17', Statement });
  }
}
