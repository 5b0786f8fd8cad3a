import type { JsonApi } from '../aws/api.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import { type SecretKeys, secretOperations } from './operations.ts';
import { type SecretDefinition, SecretStore } from './secret-store.ts';

export interface SecretsManagerOptions {
  /** Secrets are kept here in `secrets.json`, mode 0600. */
  directory: string;
  /** Learns the resource policies of secrets. */
  authorizer: Pick<Authorizer, 'setResourcePolicy'>;
  /** Says what a caller needs on the customer key of a secret. */
  kms: SecretKeys;
  /** Default `000000000000`. */
  accountId?: string;
  /** Default `us-east-1`. */
  region?: string;
}

/** Secrets Manager without rotation. */
export class SecretsManagerService {
  readonly api: JsonApi;
  readonly #store: SecretStore;
  readonly #options: SecretsManagerOptions;

  constructor(options: SecretsManagerOptions) {
    this.#options = options;
    this.#store = new SecretStore(
      options.directory,
      options.accountId ?? '000000000000',
      options.region ?? 'us-east-1',
    );
    this.api = {
      protocol: 'json',
      signingName: 'secretsmanager',
      targetPrefix: 'secretsmanager',
      operations: secretOperations(this.#store, options.kms),
    };
  }

  /**
   * Creates a secret, or brings its settings up to date. A generated value is made once; a value that
   * somebody put stays, unless the one in the definition changes.
   */
  async ensureSecret(definition: SecretDefinition): Promise<{ name: string; arn: string }> {
    const { name, arn } = await this.#store.ensure(definition);
    if (definition.policy !== undefined) this.#options.authorizer.setResourcePolicy(arn, definition.policy);
    return { name, arn };
  }
}
