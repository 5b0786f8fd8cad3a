import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backupPartition } from '../../../functions/recovery/catalog/backup-catalog.ts';
import { systemClock } from '../../../functions/recovery/clock.ts';
import { ManifestError } from '../../../functions/recovery/errors.ts';
import { operationIdSchema } from '../../../functions/recovery/ids.ts';
import {
  canonicalJson,
  type Manifest,
  macMessage,
  parseManifest,
} from '../../../functions/recovery/manifest/manifest.ts';
import type { Finding } from '../../../functions/recovery/model.ts';
import { manifestKey } from '../../../functions/recovery/objects/object-keys.ts';
import { verifyObject } from '../../../functions/recovery/objects/verify-object.ts';
import { concludeVerification } from '../../../functions/recovery/verification/conclude-verification.ts';
import { planVerification } from '../../../functions/recovery/verification/plan-verification.ts';
import { verifyWork } from '../../../functions/recovery/verification/verify-work.ts';
import { type StoredObject, verifyWorkSchema } from '../../../functions/recovery/workflow.ts';
import { BackupRun, traceparent } from './support/run-backup.ts';
import { type Aws, type Database, startAwsWorld, startDatabase } from './support/world.ts';

let world: Aws;
let database: Database;
let manifest: Manifest;
let rows: StoredObject;

beforeAll(async () => {
  [world, database] = await Promise.all([startAwsWorld(), startDatabase()]);
  const name = await database.create(
    `CREATE TABLE t (id int, body text); INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 2000) n;`,
  );
  const { manifest: stored } = await new BackupRun(world, database, name).complete({ ddl: false });
  manifest = stored.manifest;
  const found = manifest.shards[0]?.chunks.find((chunk) => chunk.rows?.range.name === 't');
  if (found === undefined) throw new Error('The backup has no rows');
  rows = found;
});

afterAll(async () => {
  await database?.close();
  await world?.close();
});

async function bytesOf(key: string): Promise<Buffer> {
  const answer = await world.bucket.open({ key, versionId: null });
  return Buffer.from((await answer?.Body?.transformToByteArray()) ?? []);
}

/** Stores other bytes under the same key and gives the object that points at them. */
async function replaced(object: StoredObject, bytes: Buffer): Promise<StoredObject> {
  const { VersionId = null } = await world.s3.send(
    new PutObjectCommand({ Bucket: world.bucket.name, Key: object.key, Body: bytes }),
  );
  return { ...object, versionId: VersionId };
}

const flip = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  const at = Math.floor(bit / 8);
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
};

const problemOf = async (object: StoredObject, mode: 'full' | 'hash' = 'full') =>
  (await verifyObject(world.verifyPlace, object, mode)).problem?.problem;

describe('reading an object back', () => {
  it('finds nothing wrong with what was stored, and computes the digest of its rows', async () => {
    expect(await verifyObject(world.verifyPlace, rows, 'full')).toEqual({ digest: rows.rows?.digest });
    expect(await verifyObject(world.verifyPlace, rows, 'hash')).toEqual({});
  });

  it('names one flipped bit, wherever it is', async () => {
    const bytes = await bytesOf(rows.key);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const damaged = await replaced(rows, flip(bytes, bit));
        expect(await problemOf(damaged)).toBe('hash-mismatch');
        expect(await problemOf(damaged, 'hash')).toBe('hash-mismatch');
      }),
      { numRuns: 10 },
    );
  });

  it('tells a missing object from one that is too short or too long', async () => {
    const bytes = await bytesOf(rows.key);
    expect(await problemOf({ ...rows, key: `${rows.key}-gone` })).toBe('missing');
    expect(await problemOf(await replaced(rows, bytes.subarray(0, -1)))).toBe('truncated');
    expect(await problemOf(await replaced(rows, Buffer.concat([bytes, bytes])))).toBe('size-mismatch');
  });

  it('tells an object that belongs elsewhere, and rows that are not those that were copied', async () => {
    expect(await problemOf({ ...rows, context: { ...rows.context, 'mainstay:table': 'public.other' } })).toBe(
      'wrong-context',
    );
    if (rows.rows === undefined) throw new Error('It has no rows');
    const { range, count } = rows.rows;
    expect(await problemOf({ ...rows, rows: { range, count: count + 1 } })).toBe('row-count');
    expect(await problemOf({ ...rows, rows: { range, count, digest: '0'.repeat(64) } })).toBe('digest');
    expect(await problemOf({ ...rows, plainBytes: rows.plainBytes + 1 })).toBe('not-decompressible');
  });

  it('says that KMS did not answer instead of blaming the object', async () => {
    const error = { status: 500, code: 'KMSInternalException' };
    world.aws.endpoint.faults.add({ service: 'kms', operation: 'Decrypt', times: 100, error });
    await expect(problemOf(rows)).rejects.toThrow(/KMS did not complete Decrypt: KMSInternalException/);
    world.aws.endpoint.faults.clear();
    expect(await problemOf(rows)).toBeUndefined();
  });
});

describe('a manifest', () => {
  it('is refused when any byte of it has changed', async () => {
    const text = (await bytesOf(manifestKey(manifest.backupId))).toString('utf8');
    expect(parseManifest(text).manifest).toEqual(manifest);
    const authentic = macMessage(manifest);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(' ', '0', 'a', '"', '}'), (at, replacement) => {
        fc.pre(text[at] !== replacement);
        const changed = text.slice(0, at) + replacement + text.slice(at + 1);
        // Either the form is refused, or KMS is asked about another message or another MAC.
        try {
          const parsed = parseManifest(changed);
          const { mac } = parseManifest(text);
          expect([macMessage(parsed.manifest), parsed.mac]).not.toEqual([authentic, mac]);
        } catch (error) {
          expect(error).toBeInstanceOf(ManifestError);
        }
      }),
    );
  });

  it('is refused by KMS when it was written without the key', async () => {
    const forged = { ...manifest, backupId: `${manifest.backupId}-forged` as Manifest['backupId'] };
    const mac = { algorithm: 'HMAC_SHA_256', keyArn: 'arn:any', value: Buffer.alloc(32).toString('base64') };
    await world.bucket.create(manifestKey(forged.backupId), canonicalJson({ manifest: forged, mac }));
    await expect(world.manifests.read(forged.backupId, null)).rejects.toThrow(/MAC is wrong/);
  });

  it('is written once: an equal one is as good, another one is refused', async () => {
    expect((await world.manifests.write(manifest)).manifest).toEqual(manifest);
    await expect(world.manifests.write({ ...manifest, skewMs: 1 })).rejects.toThrow(/Another manifest/);
  });
});

describe('a verification', () => {
  async function verifyBackup(
    mode: 'full' | 'hash',
  ): Promise<{ findings: Finding[]; objects: number; planned: number }> {
    const id = operationIdSchema.parse(randomUUID());
    const { backupId } = manifest;
    const { operations, catalog, manifests, bucket } = world;
    const kind = mode === 'full' ? 'verify' : 'verify-hash';
    await operations.create({ id, kind, backupId, traceparent, createdAt: new Date().toISOString() });
    const planned = await planVerification(
      { catalog, operations, manifests, bucket },
      { operationId: id, executionArn: 'arn:test', input: { backupId, mode, keys: 'kms', traceparent } },
    );
    const items = verifyWorkSchema.array().parse(JSON.parse((await bytesOf(planned.key)).toString()));
    const run = new BackupRun(world, database, 'unused');
    for (const work of items) {
      await verifyWork(
        {
          place: world.verifyPlace,
          chunks: run.chunks,
          components: run.components,
          operations,
          clock: run.parts.clock,
        },
        { purpose: 'verification', backupId, operationId: id, traceparent, mode, keys: 'kms', work },
      );
    }
    await concludeVerification({ operations, catalog, clock: run.parts.clock }, id);
    const { findings, objects } = await operations.checked(id);
    return { findings, objects, planned: (await operations.get(id))?.objectsTotal ?? 0 };
  }

  it('reads everything back and finds a sound backup sound', async () => {
    const { findings, objects, planned } = await verifyBackup('full');
    expect(findings).toEqual([]);
    expect(objects).toBe(planned);
    expect(objects).toBe(manifest.totals.objects + 1);
    expect(await world.catalog.get(manifest.backupId)).toMatchObject({
      verification: { state: 'completed', findings: 0 },
    });
  });

  it.each(['full', 'hash'] as const)(
    'names the object and the table that a bit was flipped in (%s)',
    async (mode) => {
      const path = await world.flipBit(rows);
      const { findings } = await verifyBackup(mode);
      await world.flipBit(rows);
      expect(path).not.toBe('');
      expect(findings).toEqual([
        {
          object: rows.key,
          versionId: rows.versionId,
          problem: 'hash-mismatch',
          detail: expect.stringContaining(rows.sha256),
          shard: 'shard-a',
          relation: '"public"."t"',
        },
      ]);
    },
  );

  it('names the manifest when a bit was flipped in it', async () => {
    const record = await world.catalog.get(manifest.backupId);
    const object = { key: manifestKey(manifest.backupId), versionId: record?.manifest?.versionId ?? null };
    await world.flipBit(object);
    const { findings } = await verifyBackup('hash');
    await world.flipBit(object);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      object: object.key,
      problem: expect.stringMatching(/^(hash-mismatch|manifest-mac|manifest-unreadable)$/),
    });
  });

  it('does not call a backup damaged that is deleted while it is verified', async () => {
    const backup = { pk: backupPartition(manifest.backupId), sk: 'META' };
    const id = operationIdSchema.parse(randomUUID());
    const { operations, catalog } = world;
    const createdAt = new Date().toISOString();
    await operations.create({ id, kind: 'verify', backupId: manifest.backupId, traceparent, createdAt });
    await world.table.set(backup, { state: 'deleting' });
    const concluding = concludeVerification({ operations, catalog, clock: systemClock }, id);
    await expect(concluding).rejects.toThrow('deleted while it was verified');
    await world.table.set(backup, { state: 'completed' });
    expect((await operations.get(id))?.state).toBe('queued');
  });
});
