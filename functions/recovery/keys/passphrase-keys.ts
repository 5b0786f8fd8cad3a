import { EscrowError } from '../errors.ts';
import type { EscrowKey, EscrowKeys } from './escrow-model.ts';
import type { EscrowStore } from './escrow-store.ts';
import { deriveEscrowKey, type Stretch } from './passphrase.ts';
import type { PassphraseReader } from './passphrase-secret.ts';

/** Wrapping keys that are remembered; each takes half a second to derive. */
const remembered = 20;

/**
 * Wrapping keys derived from the passphrase itself: what opens with these opens with what is on paper. The passphrase
 * before the present one counts too, as long as the secret still has it.
 */
export class PassphraseKeys implements EscrowKeys {
  readonly #store: EscrowStore;
  readonly #read: PassphraseReader;
  readonly #stretch: Stretch | undefined;
  readonly #known = new Map<string, Promise<EscrowKey>>();

  constructor(store: EscrowStore, read: PassphraseReader, stretch?: Stretch) {
    this.#store = store;
    this.#read = read;
    this.#stretch = stretch;
  }

  async current(): Promise<EscrowKey | undefined> {
    const record = await this.#store.current();
    return record && this.key(record.fingerprint);
  }

  key(fingerprint: string): Promise<EscrowKey> {
    const known = this.#known.get(fingerprint);
    if (known !== undefined) return known;
    const deriving = this.#derive(fingerprint);
    if (this.#known.size >= remembered) this.#known.clear();
    this.#known.set(fingerprint, deriving);
    deriving.catch(() => this.#known.delete(fingerprint));
    return deriving;
  }

  async #derive(fingerprint: string): Promise<EscrowKey> {
    const record = await this.#store.get(fingerprint);
    if (record === undefined) {
      throw new EscrowError(`There is no record of the wrapping key ${fingerprint}.`);
    }
    for (const stage of ['AWSCURRENT', 'AWSPREVIOUS'] as const) {
      const passphrase = await this.#read(stage);
      const key = passphrase && (await deriveEscrowKey(passphrase, record, this.#stretch));
      if (key) return key;
    }
    throw new EscrowError(
      `The passphrase in the secret is not the one of the wrapping key ${fingerprint}, of ${record.createdAt}.`,
    );
  }
}
