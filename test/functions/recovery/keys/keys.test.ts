import {
  DisableKeyCommand,
  EnableKeyCommand,
  type KMSClient,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { recoveryContract } from '../../../../functions/recovery/contract.ts';
import { DamagedObjectError } from '../../../../functions/recovery/errors.ts';
import { backupIdSchema } from '../../../../functions/recovery/ids.ts';
import type { EscrowKeys } from '../../../../functions/recovery/keys/escrow-model.ts';
import { escrowOpener } from '../../../../functions/recovery/keys/escrow-of.ts';
import { isWrappedAsNow } from '../../../../functions/recovery/keys/is-wrapped-as-now.ts';
import {
  deriveEscrowKey,
  newEscrowKey,
  normalisePassphrase,
} from '../../../../functions/recovery/keys/passphrase.ts';
import { replicaArn } from '../../../../functions/recovery/keys/reading.ts';
import { withoutEscrow } from '../../../../functions/recovery/keys/without-escrow.ts';
import { encodingOf } from '../../../../functions/recovery/manifest/encoding.ts';
import type { Manifest } from '../../../../functions/recovery/manifest/manifest.ts';
import { ManifestStore } from '../../../../functions/recovery/manifest/manifest-store.ts';
import { manifestKey } from '../../../../functions/recovery/objects/object-keys.ts';
import { readVerified, verifyObject } from '../../../../functions/recovery/objects/verify-object.ts';
import type { StoredObject } from '../../../../functions/recovery/workflow.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import { cheap, type Regions, standbyRegion, startRegions } from './support.ts';

const first = 'correct horse battery staple';
const second = 'nine lives of a standby region';

let regions: Regions;
/** Stored before there was a passphrase, under the first, and under the second. */
let objects: { none: StoredObject; first: StoredObject; second: StoredObject };
const fingerprints: string[] = [];

beforeAll(async () => {
  regions = await startRegions();
  const keys = regions.sealedKeys();
  const none = await regions.put('backups/a/none', 'none', keys);
  for (const passphrase of [first, second]) {
    const outcome = await regions.use(`  ${passphrase}\r\n`);
    if (outcome.state !== 'made') throw new Error(`It was ${outcome.state}`);
    fingerprints.push(outcome.fingerprint);
    if (passphrase === first)
      objects = { none, first: await regions.put('backups/a/1', 'one', keys), second: none };
  }
  objects = { ...objects, second: await regions.put('backups/a/2', 'two', regions.sealedKeys()) };
}, 60_000);
afterAll(() => regions?.close());

const disabled: [KMSClient, string][] = [];
async function disable(kms: KMSClient, KeyId: string): Promise<void> {
  await kms.send(new DisableKeyCommand({ KeyId }));
  disabled.push([kms, KeyId]);
}
afterEach(async () => {
  for (const [kms, KeyId] of disabled.splice(0)) await kms.send(new EnableKeyCommand({ KeyId }));
});

const place = (keys?: EscrowKeys) => ({
  bucket: regions.bucket,
  kms: regions.kms,
  keyArn: regions.keys.encryption,
  ...(keys && { opener: escrowOpener(keys) }),
});

describe('an object that a later backup could refer to', () => {
  it('has to be stored under the passphrase that is in use now', async () => {
    const keys = regions.sealedKeys();
    expect(await isWrappedAsNow(keys, objects.second)).toBe(true);
    expect(await isWrappedAsNow(keys, objects.first)).toBe(false);
    expect(await isWrappedAsNow(keys, objects.none)).toBe(false);
  });

  it('has to be stored without one where there is none', async () => {
    expect(await isWrappedAsNow(undefined, objects.none)).toBe(true);
    expect(await isWrappedAsNow(undefined, objects.second)).toBe(false);
  });
});

describe('the functions', () => {
  it('that make messages all know of the escrow', () => {
    const functions: [string, { environment: { shape: object } }][] = Object.entries(
      recoveryContract.functions,
    );
    const making = functions.filter(([, { environment }]) => 'COMPRESSION' in environment.shape);
    expect(making.length).toBeGreaterThan(5);
    for (const [name, { environment }] of making)
      expect([name, environment.shape]).toEqual([
        name,
        expect.objectContaining({ ESCROW_KEY_ARN: expect.anything() }),
      ]);
  });
});

describe('a passphrase', () => {
  it('is the same however it is written down', () => {
    fc.assert(
      fc.property(
        fc
          .string({ minLength: 20, maxLength: 60, unit: 'grapheme' })
          .filter((text) => !/^[ \t\r\n]|[ \t\r\n]$/.test(text.normalize('NFKC'))),
        fc.constantFrom('', ' ', '\n', '\r\n', '\t '),
        (text, around) => {
          fc.pre([...text.normalize('NFKC')].length >= 20);
          const once = normalisePassphrase(text);
          expect(normalisePassphrase(`${around}${text.normalize('NFD')}${around}`)).toBe(once);
          expect(normalisePassphrase(once)).toBe(once);
        },
      ),
    );
  });

  it('is refused when it is too short, without being repeated', () => {
    expect(() => normalisePassphrase(' too short to be good ')).not.toThrow();
    expect(() => normalisePassphrase('nineteen characters ')).toThrow(/has 19 characters; it needs 20/);
    expect(() => normalisePassphrase('hunter2')).toThrow(/^(?!.*hunter2)/);
  });

  it('makes one key with its own salt, which no other passphrase makes', async () => {
    const key = await newEscrowKey(first);
    expect(await deriveEscrowKey(first, key)).toEqual(key);
    expect(await deriveEscrowKey(second, key, cheap)).toBeUndefined();
    expect(await deriveEscrowKey(second, await newEscrowKey(first, cheap), cheap)).toBeUndefined();
  }, 60_000);

  it('changes nothing when it is brought into use again, and leaves earlier keys when it changes', async () => {
    expect(await regions.ensure()).toEqual({ state: 'unchanged', fingerprint: fingerprints[1] });
    expect(fingerprints[0]).not.toBe(fingerprints[1]);
    for (const fingerprint of fingerprints) {
      expect(await regions.store.get(fingerprint)).toMatchObject({ fingerprint });
    }
    expect(await regions.store.current()).toMatchObject({ fingerprint: fingerprints[1] });
  });

  it('is in nothing that is stored, nor is the key that it makes', async () => {
    const record = await regions.store.current();
    if (record === undefined) throw new Error('There is no record');
    const { wrappingKey } = await regions.seal.open(record);
    const text = JSON.stringify(record);
    for (const secret of [second, wrappingKey.toString('base64'), wrappingKey.toString('hex')]) {
      expect(text).not.toContain(secret);
    }
  });

  it('cannot be replaced by whoever may write the store: a key has to be sealed for its own fingerprint', async () => {
    const record = await regions.store.current();
    const other = await newEscrowKey('a passphrase that an intruder knows', cheap);
    if (record === undefined) throw new Error('There is no record');
    await expect(regions.seal.open({ ...record, fingerprint: other.fingerprint })).rejects.toThrow(
      /InvalidCiphertext/,
    );
  });
});

describe('a message in escrow', () => {
  it('says which passphrase opens it', () => {
    expect([objects.none.escrow, objects.first.escrow, objects.second.escrow]).toEqual([
      undefined,
      ...fingerprints,
    ]);
  });

  it('is opened by KMS as before', async () => {
    for (const object of Object.values(objects)) {
      expect(await verifyObject(place(), object, 'full')).toEqual({});
    }
  });

  it('is opened by the passphrase while the key of backups is disabled; KMS then fails by the name of the key', async () => {
    await disable(regions.kms, regions.keys.encryption);
    await expect(verifyObject(place(), objects.second, 'full')).rejects.toMatchObject({
      name: 'DependencyError',
      message: expect.stringMatching(new RegExp(`DisabledException.*${regions.keys.encryption}`)),
    });
    for (const keys of [regions.passphraseKeys(), regions.sealedKeys()]) {
      // The passphrase before the present one is still in the secret.
      for (const object of [objects.first, objects.second]) {
        const pieces: Buffer[] = [];
        expect(await readVerified(place(keys), object, (piece) => void pieces.push(piece))).toEqual({});
        expect(Buffer.concat(pieces).toString()).toBe(object === objects.first ? 'one' : 'two');
      }
    }
  });

  it('is not opened without its passphrase, and that is no damage to whoever restores it', async () => {
    const keys = regions.passphraseKeys();
    expect(await verifyObject(place(keys), objects.none, 'full')).toEqual({
      problem: {
        problem: 'not-decryptable',
        detail: expect.stringContaining('without an escrow passphrase'),
      },
    });
    const restoring = readVerified(place(keys), objects.none, () => undefined);
    await expect(restoring).rejects.toMatchObject({ name: 'EscrowError' });
    await expect(restoring).rejects.not.toBeInstanceOf(DamagedObjectError);
  });

  it('costs no call of its own once the wrapping key is known', async () => {
    const sent = [jest.spyOn(regions.s3, 'send'), jest.spyOn(regions.kms, 'send')];
    const keys = regions.sealedKeys();
    for (const name of ['x', 'y', 'z']) await regions.put(`backups/a/${name}`, name, keys);
    const calls = sent.flatMap(({ mock }) => mock.calls.map(([command]) => command.constructor.name));
    for (const spy of sent) spy.mockRestore();
    const count = (name: string) => calls.filter((call) => call === name).length;
    expect({ get: count('GetObjectCommand'), open: count('DecryptCommand') }).toEqual({ get: 1, open: 1 });
    expect(count('GenerateDataKeyCommand')).toBe(3);
  });
});

describe('the context of a message', () => {
  const context = (rest: Record<string, string> = {}) => ({
    'mainstay:backup': 'a',
    'mainstay:shard': 'shard-a',
    'mainstay:kind': 'rows',
    'mainstay:table': 'public.t',
    ...rest,
  });
  const problem = async (object: StoredObject) =>
    (await verifyObject(place(), object, 'full')).problem?.problem;

  it.each([
    ['another object of the same backup', { 'mainstay:table': 'public.other' }],
    ['an object of another shard', { 'mainstay:shard': 'shard-b' }],
    ['an object of another backup', { 'mainstay:backup': 'b' }],
    ['an object that is about more than it should be', { 'mainstay:tenant': 'acme' }],
  ])('refuses %s in its place, even where its hash is expected', async (_, difference) => {
    const wanted = await regions.put('backups/a/wanted', 'rows', undefined, context());
    const other = await regions.put('backups/a/other', 'rows', undefined, context(difference));
    expect(await problem(wanted)).toBeUndefined();
    expect(await problem({ ...other, context: wanted.context })).toBe('wrong-context');
    // Under the wanted object's name, the hash in the manifest tells it already.
    expect(await problem({ ...wanted, key: other.key, versionId: other.versionId })).toMatch(
      /^(hash-mismatch|size-mismatch|truncated)$/,
    );
  });

  it('refuses the same rows of an earlier attempt: another message, although it is about the same', async () => {
    const earlier = await regions.put('backups/a/attempt-1', 'rows', undefined, context());
    const committed = await regions.put('backups/a/attempt-2', 'rows', undefined, context());
    const { key, versionId } = earlier;
    expect(await problem({ ...committed, key, versionId })).toBe('hash-mismatch');
  });
});

describe('a manifest', () => {
  const manifests = (keys: EscrowKeys, reads: 'kms' | 'escrow') =>
    new ManifestStore(regions.bucket, regions.kms, regions.keys.mac, { keys, reads });

  const manifestOf = (segments: StoredObject[]): Manifest => ({
    format: 'mainstay.backup',
    formatVersion: 1,
    backupId: backupIdSchema.parse(newId()),
    type: 'import',
    createdAt: '2026-11-21T00:00:00.000Z',
    committedAt: '2026-11-21T00:00:01.000Z',
    encoding: encodingOf(regions.keys.encryption),
    tools: {},
    shards: [],
    import: {
      name: 'dump',
      format: 'other',
      packing: 'none',
      sha256: '0'.repeat(64),
      sizeBytes: 3,
      segments,
      segmentSha256: segments.map(() => '0'.repeat(64)),
    },
    skewMs: 0,
    totals: { objects: segments.length, rows: 0, plainBytes: 3, storedBytes: 3 },
  });

  it('is authenticated by the passphrase while the MAC key is disabled, and not when it was changed', async () => {
    const manifest = manifestOf([objects.first, objects.second]);
    const { backupId } = manifest;
    await manifests(regions.sealedKeys(), 'kms').write(manifest);
    await disable(regions.kms, regions.keys.mac);
    await disable(regions.kms, regions.keys.encryption);
    const read = await manifests(regions.passphraseKeys(), 'escrow').read(backupId, null);
    expect(read?.manifest).toEqual(manifest);

    const key = manifestKey(backupId);
    const stored = await regions.bucket.readText({ key, versionId: null });
    await regions.bucket.writeText(key, stored?.text.replace('"skewMs":0', '"skewMs":1') ?? '');
    await expect(manifests(regions.passphraseKeys(), 'escrow').read(backupId, null)).rejects.toThrow(
      /MAC of the escrow/,
    );
  });

  it('names every key that its objects are wrapped by, and how they are derived', async () => {
    const manifest = manifestOf([objects.first, objects.second, objects.none]);
    await manifests(regions.sealedKeys(), 'kms').write(manifest);
    const stored = await regions.bucket.readText({ key: manifestKey(manifest.backupId), versionId: null });
    const { escrow } = JSON.parse(stored?.text ?? '');
    expect(escrow.mac.fingerprint).toBe(fingerprints[1]);
    expect(escrow.keys.map((key: { fingerprint: string }) => key.fingerprint).sort()).toEqual(
      [...fingerprints].sort(),
    );
    expect(escrow.keys[0].kdf).toMatchObject({ name: 'scrypt', n: 131072, r: 8, p: 1 });
    expect(withoutEscrow(manifest)).toBe(1);
  });

  it('that was written without a passphrase is refused by name', async () => {
    const manifest = manifestOf([objects.none]);
    await new ManifestStore(regions.bucket, regions.kms, regions.keys.mac).write(manifest);
    const reading = manifests(regions.passphraseKeys(), 'escrow').read(manifest.backupId, null);
    await expect(reading).rejects.toThrow(/no MAC of an escrow passphrase/);
  });

  it('and its objects are read in the standby region with the primary keys disabled', async () => {
    const manifest = manifestOf([objects.second]);
    await manifests(regions.sealedKeys(), 'kms').write(manifest);
    const { encryption, mac } = regions.keys;
    const replica = {
      encryption: replicaArn(encryption, standbyRegion),
      mac: replicaArn(mac, standbyRegion),
    };
    const standbyPlace = { ...place(), kms: regions.standbyKms, keyArn: replica.encryption };
    expect((await verifyObject(standbyPlace, objects.second, 'full')).problem?.problem).toBe(
      'not-decryptable',
    );

    for (const KeyId of [encryption, mac]) {
      await regions.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: standbyRegion }));
      await disable(regions.kms, KeyId);
    }
    expect(await verifyObject(standbyPlace, objects.second, 'full')).toEqual({});
    const standby = new ManifestStore(regions.bucket, regions.standbyKms, replica.mac);
    expect((await standby.read(manifest.backupId, null))?.manifest).toEqual(manifest);
    await disable(regions.standbyKms, replica.encryption);
    await expect(verifyObject(standbyPlace, objects.second, 'full')).rejects.toThrow(replica.encryption);
  });
});

describe('a wrapping key in use', () => {
  it('gives way to a newer one within a quarter of an hour', async () => {
    let now = 0;
    const keys = regions.sealedKeys(() => now);
    const before = (await keys.current())?.fingerprint;
    await regions.use('third time lucky, they say here');
    expect((await keys.current())?.fingerprint).toBe(before);
    now += 15 * 60_000;
    const after = (await keys.current())?.fingerprint;
    expect(after).not.toBe(before);
    await regions.use(second);
    expect((await regions.store.current())?.fingerprint).not.toBe(after);
  });
});
