import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { awsConfig, bucketNamed } from './aws.ts';
import { Backups } from './backups.ts';
import { onShard } from './databases.ts';
import { BackupByHand, type Place, type Shard } from './restore-by-hand.ts';

/** The shard that is restored by hand. */
export const shardName = 'shard-a';
/** The databases that it is restored into. */
export const database = 'restored_by_hand';
const databases = [database, 'restored'];

/** A backup, and what somebody has who restores it without Mainstay. `close` leaves all as it was. */
export class HandRestore {
  readonly backups: Backups;
  readonly place: Place;
  readonly backup: BackupByHand;
  readonly shard: Shard;
  readonly #owners: readonly string[];

  private constructor(backups: Backups, place: Place, backup: BackupByHand, owners: readonly string[]) {
    this.backups = backups;
    this.place = place;
    this.backup = backup;
    this.shard = backup.shard(shardName);
    this.#owners = owners;
  }

  static async open(): Promise<HandRestore> {
    const backups = await Backups.open();
    const { id } = await backups.take({ shards: [shardName] });
    const place = {
      aws: awsConfig(backups.local),
      bucket: await bucketNamed(backups.local, 'backups'),
      macKey: await macKeyOf(backups),
    };
    const backup = await BackupByHand.open(place, id);
    const owners = await backup.owners(backup.shard(shardName));
    const restore = new HandRestore(
      backups,
      place,
      backup,
      owners.filter((owner) => owner !== master(backups)),
    );
    await restore.#inherit(true);
    return restore;
  }

  async close(): Promise<void> {
    for (const name of databases) {
      await onShard(this.backups.local, shardName, (client) =>
        client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
      );
    }
    await this.#inherit(false);
    await this.backups.tidy();
  }

  /** Makes the master user one of the owners, or no more than it was: it may become each of them, and inherits nothing. */
  async #inherit(yes: boolean): Promise<void> {
    await onShard(this.backups.local, shardName, async (client) => {
      for (const role of this.#owners) {
        await client.query(`GRANT ${role} TO CURRENT_USER WITH INHERIT ${yes ? 'TRUE' : 'FALSE'}, SET TRUE`);
      }
    });
  }

  /** What the blocks of the page are to find in their environment; the page's first block shows where it comes from. */
  get environment(): Record<string, string> {
    const { aws, bucket, macKey } = this.place;
    const { manifest } = this.backup;
    const writer = writerOf(this.backups);
    return {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_DEFAULT_REGION: aws.region,
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
      BUCKET: bucket,
      ID: manifest.backupId,
      MAC_KEY: macKey,
      PGHOST: writer.hostname,
      PGPORT: writer.port,
      PGUSER: writer.username,
      PGPASSWORD: writer.password,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: writer.searchParams.get('sslrootcert') ?? '',
    };
  }
}

/** The key that authenticates manifests, as somebody with a list of the account's keys finds it. */
async function macKeyOf({ local }: Backups): Promise<string> {
  const kms = new KMSClient(awsConfig(local));
  const { Keys = [] } = await kms.send(new ListKeysCommand({}));
  for (const { KeyId = '' } of Keys) {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    if (KeyMetadata?.KeyUsage === 'GENERATE_VERIFY_MAC') return KeyMetadata.Arn ?? '';
  }
  throw new Error('There is no key for MACs.');
}

function writerOf({ local }: Backups): URL {
  const url = local.shards.find(({ name }) => name === shardName)?.writer.url;
  if (url === undefined) throw new Error(`There is no ${shardName}.`);
  return new URL(url);
}

const master = (backups: Backups): string => writerOf(backups).username;
