import { kms, kmsIn, s3, s3In, secretsManager } from '../../shared/clients.ts';
import { UnavailableKeysError } from '../errors.ts';
import { ManifestStore } from '../manifest/manifest-store.ts';
import { Bucket } from '../objects/bucket.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import type { EscrowKeys } from './escrow-model.ts';
import { escrowOpener, sealedKeysOf } from './escrow-of.ts';
import { EscrowStore } from './escrow-store.ts';
import { firstOf } from './first-of.ts';
import type { KeySource } from './key-source.ts';
import { PassphraseKeys } from './passphrase-keys.ts';
import { passphraseReader } from './passphrase-secret.ts';

/** Which of these a function is given decides which keys it can read backups with. */
export interface ReadingEnvironment {
  readonly BACKUPS_BUCKET: string;
  readonly ESCROW_SECRET_ARN?: string | undefined;
  readonly ESCROW_KEY_ARN?: string | undefined;
  readonly STANDBY_REGION?: string | undefined;
  readonly VAULT_BUCKET?: string | undefined;
}

/** Makes a value for each source of keys, once. */
function perSource<T>(make: (source: KeySource) => T): (source: KeySource) => T {
  const made = new Map<KeySource, T>();
  return (source) => {
    const known = made.get(source) ?? make(source);
    made.set(source, known);
    return known;
  };
}

/**
 * What reads objects of backups, by the keys that are asked for.
 * The result throws UnavailableKeysError for keys that the deployment does not have.
 */
export const readingPlaces = (
  environment: ReadingEnvironment & { readonly ENCRYPTION_KEY_ARN: string },
): ((source: KeySource) => VerifyPlace) =>
  perSource((source) => {
    const { bucket, client, keyArn } = home(source, environment, environment.ENCRYPTION_KEY_ARN);
    const place = { bucket, kms: client, keyArn };
    return source === 'escrow' ? { ...place, opener: escrowOpener(escrowKeys(environment)) } : place;
  });

/** What reads manifests, by the keys that are asked for; throws like `readingPlaces`. */
export const readingManifests = (
  environment: ReadingEnvironment & { readonly HMAC_KEY_ARN: string },
): ((source: KeySource) => ManifestStore) =>
  perSource((source) => {
    const { bucket, client, keyArn } = home(source, environment, environment.HMAC_KEY_ARN);
    return source === 'escrow'
      ? new ManifestStore(bucket, client, keyArn, { keys: escrowKeys(environment), reads: 'escrow' })
      : new ManifestStore(bucket, client, keyArn);
  });

/** Where backups and a key are: here, or the copies and the replica in the standby region. */
function home(source: KeySource, environment: ReadingEnvironment, keyArn: string) {
  if (source !== 'replica') {
    return { bucket: new Bucket(s3(), environment.BACKUPS_BUCKET), client: kms(), keyArn };
  }
  const { STANDBY_REGION: region, VAULT_BUCKET: vault } = environment;
  if (region === undefined || vault === undefined) {
    throw new UnavailableKeysError(
      'The deployment has no standby region whose replicas could open a backup.',
    );
  }
  return {
    bucket: new Bucket(s3In(region), vault),
    client: kmsIn(region),
    keyArn: replicaArn(keyArn, region),
  };
}

/** A replica has the id of its primary. */
export const replicaArn = (keyArn: string, region: string): string =>
  keyArn.split(':').with(3, region).join(':');

/** The passphrase, where the function may read it: that proves it. Else the wrapping keys that are kept. */
function escrowKeys(environment: ReadingEnvironment): EscrowKeys {
  const { BACKUPS_BUCKET, ESCROW_SECRET_ARN: secret, ESCROW_KEY_ARN: sealKey } = environment;
  const bucket = new Bucket(s3(), BACKUPS_BUCKET);
  const kept = sealedKeysOf(bucket, kms(), sealKey);
  const proved =
    secret && new PassphraseKeys(new EscrowStore(bucket), passphraseReader(secretsManager(), secret));
  if (proved && kept) return firstOf(proved, kept);
  const keys = proved || kept;
  if (!keys) throw new UnavailableKeysError('The deployment has no escrow: see backup.escrow.');
  return keys;
}
