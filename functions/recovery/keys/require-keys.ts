import { Problem } from '../../shared/problem.ts';
import type { KeySource } from './key-source.ts';

const missing: Readonly<Record<KeySource, string>> = {
  kms: 'The deployment has no keys.',
  escrow: 'The deployment has no escrow: the setting is backup.escrow.',
  replica: 'The deployment has no standby region: the setting is standby.',
};

/** @throws Problem 422 when the deployment does not have the keys that a request asks for. */
export function requireKeys(available: readonly KeySource[] | undefined, keys: KeySource): void {
  if (available === undefined || available.includes(keys)) return;
  throw new Problem('unprocessable-request', missing[keys], {
    errors: [{ field: 'body.keys', message: missing[keys] }],
  });
}
