import { EscrowError } from '../errors.ts';
import type { EscrowKeys } from './escrow-model.ts';

/** Asks one source of wrapping keys, and another where the first does not have one. */
export const firstOf = (one: EscrowKeys, other: EscrowKeys): EscrowKeys => ({
  current: async () => (await one.current().catch(orNothing)) ?? other.current(),
  key: async (fingerprint) => (await one.key(fingerprint).catch(orNothing)) ?? other.key(fingerprint),
});

function orNothing(error: unknown): undefined {
  if (!(error instanceof EscrowError)) throw error;
  return undefined;
}
