import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type pg from 'pg';
import { bootstrapScript } from '../../../../functions/bootstrap/sql.ts';
import { BackupCatalog } from '../../../../functions/recovery/catalog/backup-catalog.ts';
import { OperationCatalog } from '../../../../functions/recovery/catalog/operation-catalog.ts';
import { RecoveryTable } from '../../../../functions/recovery/catalog/recovery-table.ts';
import { ManifestStore } from '../../../../functions/recovery/manifest/manifest-store.ts';
import { Bucket, type ObjectVersion } from '../../../../functions/recovery/objects/bucket.ts';
import type { StorePlace } from '../../../../functions/recovery/objects/store-object.ts';
import type { VerifyPlace } from '../../../../functions/recovery/objects/verify-object.ts';
import { kmsKeyring } from '../../../../functions/recovery/stages/encrypt.ts';
import { databaseUsers } from '../../../../lib/constants.ts';
import { flipBit } from '../../../../local/control/flip-bit.ts';
import { DynamoDbService } from '../../../../local/dynamodb/dynamodb-service.ts';
import { KmsService } from '../../../../local/kms/kms-service.ts';
import type { Address } from '../../../../local/postgres/description.ts';
import { S3Service } from '../../../../local/s3/s3-service.ts';
import { type EmulatedAws, startAws } from '../../../local/aws/emulated-aws.ts';
import { itemsTable, itemsTableDefinition } from '../../../local/dynamodb/items-table.ts';
import { connect, makeCluster, Sandbox } from '../../../local/postgres/support.ts';

/** The AWS services that the recovery functions use, behind one real endpoint. */
export interface Aws {
  readonly aws: EmulatedAws;
  readonly s3: S3Client;
  readonly kms: KMSClient;
  readonly table: RecoveryTable;
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly bucket: Bucket;
  readonly place: StorePlace;
  readonly verifyPlace: VerifyPlace;
  /** The KMS key that authenticates manifests; and two that nothing is wrapped by, or authenticated. */
  readonly keys: { readonly mac: string; readonly other: string; readonly otherMac: string };
  readonly manifests: ManifestStore;
  /** Makes a bucket that keeps versions, or changes the KMS key that it encrypts new ones under; default: S3's own. */
  makeBucket(name: string, keyArn?: string): void;
  /** Flips one bit of a stored object behind S3's back; again, and it is as it was. Answers where its bytes are. */
  flipBit(object: ObjectVersion): Promise<string>;
  close(): Promise<void>;
}

/** Clients attempt as often as the product's do. */
const maxAttempts = 3;

/** @param inRegion the KMS of other regions; default: there are none. */
export async function startAwsWorld(inRegion?: (region: string) => KmsService | undefined): Promise<Aws> {
  const services: { stop(): Promise<void> }[] = [];
  const keys = { encryption: '', mac: '', other: '', otherMac: '' };
  let store: S3Service | undefined;
  const aws = await startAws(async ({ directory, authorizer }) => {
    const kms = new KmsService({ directory, authorizer, ...(inRegion && { inRegion }) });
    keys.encryption = (await kms.ensureKey({ name: 'encryption', multiRegion: true })).arn;
    keys.other = (await kms.ensureKey({ name: 'other', multiRegion: true })).arn;
    keys.mac = (await kms.ensureKey({ name: 'mac', spec: 'HMAC_256', multiRegion: true })).arn;
    keys.otherMac = (await kms.ensureKey({ name: 'other-mac', spec: 'HMAC_256' })).arn;
    const s3 = new S3Service({ directory: join(directory, 's3'), authorizer, kms });
    await s3.start();
    s3.ensureBucket({ name: 'backups', versioning: 'Enabled' });
    const dynamodb = new DynamoDbService({ directory, authorizer });
    await dynamodb.start();
    await dynamodb.ensureTable(itemsTableDefinition);
    services.push(s3, dynamodb);
    store = s3;
    return [kms.api, s3.api, dynamodb.api];
  });
  const settings = { ...aws.client(), maxAttempts };
  const s3 = new S3Client(settings);
  const kms = new KMSClient(settings);
  const dynamo = new DynamoDBClient(settings);
  const documents = DynamoDBDocumentClient.from(dynamo, { marshallOptions: { removeUndefinedValues: true } });
  const table = new RecoveryTable(documents, itemsTable);
  const bucket = new Bucket(s3, 'backups');
  return {
    aws,
    s3,
    kms,
    table,
    catalog: new BackupCatalog(table),
    operations: new OperationCatalog(table),
    bucket,
    place: {
      s3,
      bucket: bucket.name,
      keyring: kmsKeyring(kms, keys.encryption),
      compression: { format: 'zstd', level: 3 },
    },
    verifyPlace: { bucket, kms, keyArn: keys.encryption },
    keys,
    manifests: new ManifestStore(bucket, kms, keys.mac),
    makeBucket: (name, keyArn) =>
      void store?.ensureBucket({
        ...{ name, versioning: 'Enabled' },
        ...(keyArn !== undefined && { encryption: { algorithm: 'aws:kms', keyArn } }),
      }),
    flipBit: async ({ key, versionId }) => {
      const path = store?.dataFile(bucket.name, key, versionId ?? undefined) ?? '';
      await flipBit(path);
      return path;
    },
    close: async () => {
      for (const client of [s3, kms, dynamo]) client.destroy();
      await aws.endpoint.stop();
      for (const service of services) await service.stop();
      await aws.close();
    },
  };
}

/** A database server, prepared as a deployment prepares it. */
export interface Database {
  readonly address: Address;
  /** Connects as the owner of the platform's database. */
  asOwner(database?: string): Promise<pg.Client>;
  /** Connects as the role that reads backups. */
  asBackup(database?: string): Promise<pg.Client>;
  /** Connects as the role that restores. */
  asRestore(database?: string): Promise<pg.Client>;
  /** Makes a database of its own for a test and runs `sql` in it. */
  create(sql: string): Promise<string>;
  close(): Promise<void>;
}

const password = 'only for tests';

let shared: Promise<Database> | undefined;
let users = 0;

/** One server for all that ask for one in the same file; it is gone when the last of them has closed it. */
export async function startDatabase(): Promise<Database> {
  users++;
  shared ??= makeDatabase();
  const database = await shared;
  const close = async (): Promise<void> => {
    users--;
    if (users > 0) return;
    shared = undefined;
    await database.close();
  };
  return { ...database, close };
}

async function makeDatabase(): Promise<Database> {
  const sandbox = await Sandbox.create();
  const clusters = await sandbox.clusters();
  const cluster = await makeCluster(clusters, 'shard-a', 1);
  const ca = await readFile(clusters.authorityFile, 'utf8');
  const address = cluster.instances[0]?.endpoint ?? cluster.endpoint;
  return databaseAt(address, ca, () => sandbox.dispose());
}

/** The databases of the server behind an address. */
export function databaseAt(address: Address, ca: string, close: () => Promise<void>): Database {
  const asOwner = (database?: string) =>
    connect(address, { ca, ...(database !== undefined && { database }) });
  const prepare = async (name: string, sql: string): Promise<void> => {
    const owner = await asOwner(name);
    await owner.query(sql);
    await owner.query(bootstrapScript());
    for (const user of [databaseUsers.backup, databaseUsers.restore]) {
      await owner.query(`REVOKE rds_iam FROM ${user}`);
      await owner.query(`ALTER ROLE ${user} PASSWORD '${password}'`);
    }
    await owner.end();
  };
  const as = (user: string) => (name?: string) =>
    connect(address, { ca, user, password, ...(name !== undefined && { database: name }) });
  return {
    address,
    asOwner,
    asBackup: as(databaseUsers.backup),
    asRestore: as(databaseUsers.restore),
    create: async (sql) => {
      const name = `test_${randomUUID().slice(0, 8)}`;
      const owner = await asOwner();
      await owner.query(`CREATE DATABASE ${name}`);
      await owner.end();
      await prepare(name, sql);
      return name;
    },
    close,
  };
}
