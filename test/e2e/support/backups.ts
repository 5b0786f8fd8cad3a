import {
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect } from '@jest/globals';
import type { Backup } from '../../../functions/recovery/model.ts';
import { callControl } from '../../../local/control/control-client.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type ApiClient, apiClient } from './api.ts';
import { awsConfig, bucketNamed, controlOf } from './aws.ts';
import { onShard } from './databases.ts';
import { Breakage } from './faults.ts';
import type { LocalJson } from './local-platform.ts';
import { backupEnded, readBackup, root, startBackup } from './recovery.ts';
import { sharedPlatform } from './shared-platform.ts';

export interface ObjectVersion {
  key: string;
  versionId: string;
}

/** Backups of the shared platform that one test file takes, and what it breaks; `tidy` leaves all as it was. */
export class Backups {
  readonly local: LocalJson;
  readonly call: ApiClient;
  readonly breakage: Breakage;
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #started = new Set<string>();

  private constructor(local: LocalJson, bucket: string) {
    this.local = local;
    this.call = apiClient(local);
    this.breakage = new Breakage(local);
    this.#s3 = new S3Client({ ...awsConfig(local), forcePathStyle: true });
    this.#bucket = bucket;
  }

  static async open(): Promise<Backups> {
    const local = await sharedPlatform();
    const backups = new Backups(local, await bucketNamed(local, 'backups'));
    await backups.breakage.mend();
    return backups;
  }

  async start(body: object = {}): Promise<string> {
    const id = await startBackup(this.call, body);
    this.#started.add(id);
    return id;
  }

  /** Has a backup removed by `tidy` that was started by other means. */
  adopt(id: string): void {
    this.#started.add(id);
  }

  read(id: string): Promise<Backup> {
    return readBackup(this.call, id);
  }

  ended(id: string, timeoutMs?: number): Promise<Backup> {
    return backupEnded(this.call, id, timeoutMs);
  }

  /** Takes a backup that has to succeed. */
  async take(body: object = {}): Promise<Backup> {
    return expectCompleted(await this.ended(await this.start(body)));
  }

  /** Waits until a backup has come to where `isThere` says; one that ends before is an error. */
  until(id: string, what: string, isThere: (backup: Backup) => boolean): Promise<Backup> {
    return waitFor(
      async () => {
        const backup = await this.read(id);
        if (isThere(backup)) return backup;
        if (['completed', 'failed', 'canceled'].includes(backup.state)) {
          throw new Error(`It is ${backup.state} before ${what}: ${backup.error?.message ?? ''}`);
        }
        return false;
      },
      { what: `${what} of the backup ${id}`, intervalMs: 250 },
    );
  }

  /** Everything stored of a backup: versions, delete markers, and uploads that were not completed. */
  async stored(id: string): Promise<ObjectVersion[]> {
    const place = { Bucket: this.#bucket, Prefix: `backups/${id}/` };
    const page = await this.#s3.send(new ListObjectVersionsCommand(place));
    if (page.IsTruncated === true) throw new Error(`${id} has more than a page of versions.`);
    const { Versions = [], DeleteMarkers = [] } = page;
    const found = [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId = '' }) => ({
      key: Key,
      versionId: VersionId,
    }));
    const { Uploads = [] } = await this.#s3.send(new ListMultipartUploadsCommand(place));
    found.push(...Uploads.map(({ Key = '', UploadId = '' }) => ({ key: Key, versionId: UploadId })));
    return found;
  }

  /** Waits until nothing is stored of a backup any more. */
  async swept(id: string): Promise<void> {
    await waitFor(async () => (await this.stored(id)).length === 0, {
      what: `the leftovers of ${id} to be removed`,
      intervalMs: 250,
    });
  }

  /** Flips one bit of a stored object, on the disk behind S3. The same call flips it back. */
  async flipBit({ key, versionId }: ObjectVersion, offset?: number, bit?: number): Promise<void> {
    const place = { bucket: this.#bucket, key, versionId, offset, bit };
    await callControl(controlOf(this.local), 's3/flip-bit', place);
  }

  async removeVersion({ key, versionId }: ObjectVersion): Promise<void> {
    await this.#s3.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key, VersionId: versionId }));
  }

  /** Waits until no session of the backup role has a transaction open: nobody holds a snapshot any more. */
  async released(shard: string): Promise<void> {
    await onShard(this.local, shard, (client) =>
      waitFor(
        async () => {
          const { rows } = await client.query(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'mainstay_backup' AND xact_start IS NOT NULL",
          );
          return rows.length === 0;
        },
        { what: `the snapshot of ${shard} to be let go`, intervalMs: 200 },
      ),
    );
  }

  /** Mends what is broken, ends and deletes what was started, and waits until it is gone. */
  async tidy(): Promise<void> {
    await this.breakage.mend();
    for (const id of this.#started) await this.remove(id);
    this.#started.clear();
  }

  async remove(id: string): Promise<void> {
    await this.call('POST', `${root}/backups/${id}/cancel`);
    const { status, body } = await this.call('GET', `${root}/backups/${id}`);
    if (status === 404) return;
    expect({ status, body }).toMatchObject({ status: 200 });
    await waitFor(
      async () => {
        const answer = await this.call('DELETE', `${root}/backup/${id}`);
        return answer.status !== 409;
      },
      { what: `the backup ${id} to end`, intervalMs: 250 },
    );
    await waitFor(async () => (await this.call('GET', `${root}/backups/${id}`)).status === 404, {
      what: `the backup ${id} to be deleted`,
      intervalMs: 250,
    });
  }
}

export function expectCompleted(backup: Backup): Backup {
  expect({ state: backup.state, error: backup.error }).toEqual({ state: 'completed', error: null });
  expect(backup.verified).toBe(true);
  return backup;
}
