import type { JsonApi } from '../aws/api.ts';
import type { Authorization } from '../aws/operation.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { EncryptionContext } from './ciphertext.ts';
import { encryptionOperations } from './encryption-operations.ts';
import { type Key, requireUsable } from './key.ts';
import { keyOperations } from './key-operations.ts';
import { type KeyDefinition, KeyStore } from './key-store.ts';
import { macOperations } from './mac-operations.ts';
import { keyAuthorization } from './operations.ts';
import { replicaOperations } from './replica-operations.ts';

export interface KmsOptions {
  /** Keys are kept here in `kms.json`, mode 0600. */
  directory: string;
  /** Learns the policy of each key. */
  authorizer: Pick<Authorizer, 'setResourcePolicy'>;
  /** Default `000000000000`. */
  accountId?: string;
  /** Default `us-east-1`. */
  region?: string;
  /** The KMS of another region, where keys can be replicated to; default: no other region is emulated. */
  inRegion?: (region: string) => KmsService | undefined;
}

/** KMS: symmetric and HMAC keys whose material stays in one file of mode 0600. */
export class KmsService {
  readonly api: JsonApi;
  readonly #store: KeyStore;
  readonly #options: KmsOptions;

  constructor(options: KmsOptions) {
    this.#options = options;
    this.#store = new KeyStore(
      options.directory,
      options.accountId ?? '000000000000',
      options.region ?? 'us-east-1',
    );
    this.api = {
      protocol: 'json',
      signingName: 'kms',
      targetPrefix: 'TrentService',
      operations: {
        ...encryptionOperations(this.#store),
        ...macOperations(this.#store),
        ...keyOperations(this.#store),
        ...replicaOperations(this.#store, (region) => {
          const other = options.inRegion?.(region);
          return other && ((primary, settings) => other.#addReplica(primary, settings));
        }),
      },
    };
  }

  /**
   * Creates the key of that name, or brings its settings up to date; its id and material stay.
   *
   * Throws an `Error` when spec or region scope would change, or the policy holds what is not known here.
   */
  async ensureKey(definition: KeyDefinition): Promise<{ keyId: string; arn: string }> {
    const key = await this.#store.ensure(definition);
    this.#options.authorizer.setResourcePolicy(key.arn, key.policy);
    return { keyId: key.keyId, arn: key.arn };
  }

  async #addReplica(primary: Key, settings: Pick<Key, 'description' | 'policy'>): Promise<Key> {
    const replica = await this.#store.addReplica(primary, settings);
    this.#options.authorizer.setResourcePolicy(replica.arn, replica.policy);
    return replica;
  }

  /** Points an alias (`alias/…`) at a key, given by id or ARN. Throws `NotFoundException` for an unknown key. */
  ensureAlias(name: string, reference: string): Promise<void> {
    return this.#store.ensureAlias(name, reference);
  }

  /**
   * What a service that encrypts for its caller has to ask IAM, for example S3 for an object under
   * SSE-KMS. `service` is its name, for example `s3`; `reference` a key id, alias, or either's ARN.
   *
   * Throws `NotFoundException` for an unknown key, `DisabledException` or `KMSInvalidStateException`
   * for one that cannot be used.
   */
  useBy(
    service: string,
    reference: string,
    action: 'kms:GenerateDataKey' | 'kms:Decrypt' | 'kms:Encrypt',
    encryptionContext: EncryptionContext = {},
  ): Authorization & { resource: string } {
    const key = this.#store.find(reference);
    requireUsable(key, 'ENCRYPT_DECRYPT', action.slice('kms:'.length));
    const authorization = keyAuthorization(this.#store, action, key, reference, encryptionContext);
    const viaService = `${service}.${this.#options.region ?? 'us-east-1'}.amazonaws.com`;
    return { ...authorization, context: { ...authorization.context, 'kms:ViaService': viaService } };
  }
}
