import { kms, kmsIn, s3, s3In, secretsManager } from '../../shared/clients.ts';
import { UnavailableKeysError } from '../errors.ts';
import { ManifestStore } from '../manifest/manifest-store.ts';
import { Bucket } from '../objects/bucket.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import type { EscrowKeys } from './escrow-model.ts';
import { escrowOpener, sealedKeysOf } from './escrow-of.ts';
import { EscrowStore } from './escrow-store.ts';
import { firstOf } from './first-of.ts';
import type { ReadingSource } from './key-source.ts';
import { PassphraseKeys } from './passphrase-keys.ts';
import { passphraseReader } from './passphrase-secret.ts';

/** Which of these a function is given decides which keys it can read backups with. */
export interface ReadingEnvironment {
  readonly BACKUPS_BUCKET: string;
  readonly ESCROW_SECRET_ARN?: string | undefined;
  readonly ESCROW_KEY_ARN?: string | undefined;
  readonly STANDBY_REGION?: string | undefined;
  readonly VAULT_BUCKET?: string | undefined;
  readonly ADOPT_BUCKET?: string | undefined;
  readonly ADOPT_KEY_ARN?: string | undefined;
}

/** Makes a value for each source of keys, once. */
function perSource<T>(make: (source: ReadingSource) => T): (source: ReadingSource) => T {
  const made = new Map<ReadingSource, T>();
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
): ((source: ReadingSource) => VerifyPlace) =>
  perSource((source) => {
    const { bucket, client, keyArn } = home(source, environment, environment.ENCRYPTION_KEY_ARN);
    const place = { bucket, kms: client, keyArn };
    return source === 'escrow' ? { ...place, opener: escrowOpener(escrowKeys(environment)) } : place;
  });

/** What reads manifests, by the keys that are asked for; throws like `readingPlaces`. */
export const readingManifests = (
  environment: ReadingEnvironment & { readonly HMAC_KEY_ARN: string },
): ((source: ReadingSource) => ManifestStore) =>
  perSource((source) => {
    const { bucket, client, keyArn } = home(source, environment, environment.HMAC_KEY_ARN);
    return source === 'escrow'
      ? new ManifestStore(bucket, client, keyArn, { keys: escrowKeys(environment), reads: 'escrow' })
      : new ManifestStore(bucket, client, keyArn);
  });

/** Where backups and a key are: here, the copies and the replica in the standby region, or another deployment's. */
function home(source: ReadingSource, environment: ReadingEnvironment, keyArn: string) {
  if (source === 'vault') return adoptedHome(environment);
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

function adoptedHome({ ADOPT_BUCKET: vault, ADOPT_KEY_ARN: keyArn }: ReadingEnvironment) {
  if (vault === undefined || keyArn === undefined) {
    throw new UnavailableKeysError('The deployment adopts no backups: see backup.adopt.');
  }
  const region = keyArn.split(':')[3] ?? '';
  return { bucket: new Bucket(s3In(region), vault), client: kmsIn(region), keyArn };
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
