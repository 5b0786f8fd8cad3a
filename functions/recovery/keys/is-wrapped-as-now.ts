import type { StoredObject } from '../workflow.ts';
import type { EscrowKeys } from './escrow-model.ts';

/**
 * Whether an object was stored under the escrow passphrase that is in use now, or without one where there is none. Only then may
 * a later backup refer to it: whoever opens a backup by its passphrase opens all of it.
 *
 * @throws EscrowError, DependencyError when it cannot be found out which one is in use.
 */
export async function isWrappedAsNow(
  keys: EscrowKeys | undefined,
  { escrow }: Pick<StoredObject, 'escrow'>,
): Promise<boolean> {
  return escrow === (await keys?.current())?.fingerprint;
}
