import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { systemClock } from '../../../../functions/recovery/clock.ts';
import { type EscrowOutcome, ensureEscrow } from '../../../../functions/recovery/keys/ensure-escrow.ts';
import { withEscrow } from '../../../../functions/recovery/keys/escrow-of.ts';
import { EscrowStore } from '../../../../functions/recovery/keys/escrow-store.ts';
import type { Stretch } from '../../../../functions/recovery/keys/passphrase.ts';
import { PassphraseKeys } from '../../../../functions/recovery/keys/passphrase-keys.ts';
import { passphraseReader } from '../../../../functions/recovery/keys/passphrase-secret.ts';
import { EscrowSeal } from '../../../../functions/recovery/keys/seal.ts';
import { SealedKeys } from '../../../../functions/recovery/keys/sealed-keys.ts';
import { Bucket } from '../../../../functions/recovery/objects/bucket.ts';
import { storeObject } from '../../../../functions/recovery/objects/store-object.ts';
import { kmsKeyring } from '../../../../functions/recovery/stages/encrypt.ts';
import type { StoredObject } from '../../../../functions/recovery/workflow.ts';
import { KmsService } from '../../../../local/kms/kms-service.ts';
import { S3Service } from '../../../../local/s3/s3-service.ts';
import { SecretsManagerService } from '../../../../local/secrets-manager/secrets-manager-service.ts';
import { type EmulatedAws, startAws } from '../../../local/aws/emulated-aws.ts';

/** Stands in for scrypt, which takes half a second: most tests are not about its cost. */
export const cheap: Stretch = async (passphrase, { salt }) =>
  createHash('sha256').update(`${salt}${passphrase}`).digest();

export const standbyRegion = 'eu-west-1';

/** Two regions: the deployment's, and a standby with nothing in it yet. */
export interface Regions {
  readonly keys: { readonly encryption: string; readonly mac: string; readonly data: string };
  readonly s3: S3Client;
  readonly kms: KMSClient;
  /** KMS of the standby region. */
  readonly standbyKms: KMSClient;
  readonly bucket: Bucket;
  readonly store: EscrowStore;
  readonly seal: EscrowSeal;
  /** Puts a passphrase into the secret and has it brought into use. */
  use(passphrase: string): Promise<EscrowOutcome>;
  /** What the hourly run does. */
  ensure(): Promise<EscrowOutcome>;
  /** As functions have them that may read the secret, and as those in the network have them; new ones each time. */
  passphraseKeys(): PassphraseKeys;
  sealedKeys(now?: () => number): SealedKeys;
  /** Stores an object; without `keys`, KMS alone opens it. */
  put(
    key: string,
    content: string,
    keys?: SealedKeys,
    context?: Record<string, string>,
  ): Promise<StoredObject>;
  close(): Promise<void>;
}

export async function startRegions(): Promise<Regions> {
  const keys = { encryption: '', mac: '', data: '' };
  let secretArn = '';
  let s3Service: S3Service | undefined;
  let standbyService: KmsService | undefined;
  const standby: EmulatedAws = await startAws(({ directory, authorizer }) => {
    standbyService = new KmsService({ directory, authorizer, region: standbyRegion });
    return [standbyService.api];
  }, standbyRegion);
  const aws = await startAws(async ({ directory, authorizer }) => {
    const inRegion = (region: string) => (region === standbyRegion ? standbyService : undefined);
    const kms = new KmsService({ directory, authorizer, inRegion });
    keys.encryption = (await kms.ensureKey({ name: 'encryption', multiRegion: true })).arn;
    keys.mac = (await kms.ensureKey({ name: 'mac', spec: 'HMAC_256', multiRegion: true })).arn;
    keys.data = (await kms.ensureKey({ name: 'data', multiRegion: true })).arn;
    const secrets = new SecretsManagerService({ directory, authorizer, kms });
    secretArn = (await secrets.ensureSecret({ name: 'passphrase', kmsKeyId: keys.data })).arn;
    s3Service = new S3Service({ directory: join(directory, 's3'), authorizer, kms });
    await s3Service.start();
    s3Service.ensureBucket({ name: 'backups', versioning: 'Enabled' });
    return [kms.api, secrets.api, s3Service.api];
  });
  const s3 = new S3Client(aws.client());
  const kms = new KMSClient(aws.client());
  const standbyKms = new KMSClient(standby.client());
  const secrets = new SecretsManagerClient(aws.client());
  const bucket = new Bucket(s3, 'backups');
  const store = new EscrowStore(bucket);
  const seal = new EscrowSeal(kms, keys.data);
  const read = passphraseReader(secrets, secretArn);
  const ensure = () => ensureEscrow({ store, seal, read, clock: systemClock, stretch: cheap });
  return {
    keys,
    s3,
    kms,
    standbyKms,
    bucket,
    store,
    seal,
    ensure,
    use: async (passphrase) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: secretArn, SecretString: passphrase }));
      return ensure();
    },
    passphraseKeys: () => new PassphraseKeys(store, read, cheap),
    sealedKeys: (now) => new SealedKeys(store, seal, now),
    put: async (key, content, escrow, context = { 'mainstay:backup': 'b', 'mainstay:kind': 'rows' }) => {
      const { object } = await storeObject(
        {
          s3,
          bucket: bucket.name,
          keyring: withEscrow(kmsKeyring(kms, keys.encryption), escrow),
          compression: { format: 'zstd', level: 3 },
        },
        { kind: 'sequences', key, context, source: pieces(content) },
      );
      return object;
    },
    close: async () => {
      for (const client of [s3, kms, standbyKms, secrets]) client.destroy();
      await aws.endpoint.stop();
      await s3Service?.stop();
      await Promise.all([aws.close(), standby.close()]);
    },
  };
}

async function* pieces(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text, 'utf8');
}
