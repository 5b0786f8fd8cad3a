import { type Clock, isoTime } from '../clock.ts';
import type { EscrowStore } from './escrow-store.ts';
import { deriveEscrowKey, newEscrowKey, type Stretch } from './passphrase.ts';
import type { PassphraseReader } from './passphrase-secret.ts';
import type { EscrowSeal } from './seal.ts';

export interface EnsureEscrowDependencies {
  readonly store: EscrowStore;
  readonly seal: EscrowSeal;
  readonly read: PassphraseReader;
  readonly clock: Clock;
  /** Default: scrypt. */
  readonly stretch?: Stretch;
}

/** What became of the passphrase. `missing`: the secret has none. */
export type EscrowOutcome =
  | { readonly state: 'missing' }
  | { readonly state: 'unchanged' | 'made'; readonly fingerprint: string };

/**
 * Sees to it that new messages are wrapped by the passphrase that is in the secret. Doing it again changes nothing; with
 * another passphrase there is another wrapping key, and messages stored before keep theirs.
 *
 * @throws EscrowError when the passphrase is too short, DependencyError; nothing was changed then.
 */
export async function ensureEscrow({
  store,
  seal,
  read,
  clock,
  stretch,
}: EnsureEscrowDependencies): Promise<EscrowOutcome> {
  const passphrase = await read('AWSCURRENT');
  if (passphrase === undefined) return { state: 'missing' };
  const present = await store.current();
  if (present !== undefined && (await deriveEscrowKey(passphrase, present, stretch)) !== undefined) {
    return { state: 'unchanged', fingerprint: present.fingerprint };
  }
  const key = await newEscrowKey(passphrase, stretch);
  await store.make(await seal.seal(key, isoTime(clock.now())));
  return { state: 'made', fingerprint: key.fingerprint };
}
