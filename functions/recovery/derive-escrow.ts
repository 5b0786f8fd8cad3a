import { kms, s3, secretsManager } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { ensureEscrow } from './keys/ensure-escrow.ts';
import { EscrowStore } from './keys/escrow-store.ts';
import { passphraseReader } from './keys/passphrase-secret.ts';
import { EscrowSeal } from './keys/seal.ts';
import { Bucket } from './objects/bucket.ts';

/** Makes the wrapping key of the escrow passphrase, where there is a new one. */
export const handler = eventFunction({
  contract: recoveryContract.functions['derive-escrow'],
  handler: ({ BACKUPS_BUCKET, ESCROW_SECRET_ARN, ESCROW_KEY_ARN }) => {
    if (ESCROW_SECRET_ARN === undefined || ESCROW_KEY_ARN === undefined) {
      return async () => ({ state: 'disabled' });
    }
    const deps = {
      store: new EscrowStore(new Bucket(s3(), BACKUPS_BUCKET)),
      seal: new EscrowSeal(kms(), ESCROW_KEY_ARN),
      read: passphraseReader(secretsManager(), ESCROW_SECRET_ARN),
      clock: systemClock,
    };
    return async (_event, { log }) => {
      const outcome = await ensureEscrow(deps);
      if (outcome.state === 'missing') log.warn('There is no escrow passphrase: only KMS opens backups');
      else log.info('The escrow passphrase is in use', { ...outcome });
      return outcome;
    };
  },
});
