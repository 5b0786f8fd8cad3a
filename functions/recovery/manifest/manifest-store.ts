import {
  GenerateMacCommand,
  type KMSClient,
  KMSInvalidMacException,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { onDependency } from '../../shared/dependency.ts';
import { ManifestError } from '../errors.ts';
import { sha256Of } from '../hash.ts';
import type { BackupId } from '../ids.ts';
import type { EscrowKeys } from '../keys/escrow-model.ts';
import { escrowSection, verifyEscrowMac } from '../keys/escrow-section.ts';
import type { Bucket, ObjectVersion } from '../objects/bucket.ts';
import { manifestKey } from '../objects/object-keys.ts';
import { canonicalJson, type Manifest, macMessage, parseManifest } from './manifest.ts';
import { objectsOf } from './objects-of.ts';

const algorithm = 'HMAC_SHA_256';

export interface StoredManifest {
  readonly key: string;
  readonly versionId: string | null;
  /** Of the stored bytes, hex. */
  readonly sha256: string;
  readonly manifest: Manifest;
}

/** The second MAC of a manifest, whose key comes of the escrow passphrase. */
export interface ManifestEscrow {
  readonly keys: EscrowKeys;
  /** Which MAC is checked when a manifest is read. */
  readonly reads: 'kms' | 'escrow';
}

/** Writes and reads manifests, each authenticated by a MAC whose key never leaves KMS. */
export class ManifestStore {
  readonly #bucket: Bucket;
  readonly #kms: KMSClient;
  readonly #keyArn: string;
  readonly #escrow: ManifestEscrow | undefined;

  /** @param escrow default: none; manifests are authenticated by KMS alone. */
  constructor(bucket: Bucket, kms: KMSClient, keyArn: string, escrow?: ManifestEscrow) {
    this.#bucket = bucket;
    this.#kms = kms;
    this.#keyArn = keyArn;
    this.#escrow = escrow;
  }

  /**
   * Writes the manifest where none is yet, and reads it back. An equal one that is there already, from an attempt
   * whose end was not heard of, is as good.
   *
   * @throws ManifestError when another manifest is there, or what is read back is not authentic.
   */
  async write(manifest: Manifest): Promise<StoredManifest> {
    await this.#bucket.create(manifestKey(manifest.backupId), await this.#envelope(manifest));
    return this.#readBack(manifest);
  }

  /**
   * Writes the manifest in the place of `known`, with a MAC of its own, and reads it back. `known` stays as an earlier version
   * of the object. An equal one that is there already is as good.
   *
   * @throws ManifestError when neither `known` nor an equal one is there, or what is read back is not authentic.
   */
  async replace(known: ObjectVersion, manifest: Manifest): Promise<StoredManifest> {
    const { versionId } = known;
    const text = await this.#envelope(manifest);
    await this.#bucket.replace({ key: manifestKey(manifest.backupId), versionId }, text);
    return this.#readBack(manifest);
  }

  /** The stored form. */
  async #envelope(manifest: Manifest): Promise<string> {
    const { Mac } = await onDependency('KMS', 'GenerateMac', () =>
      this.#kms.send(
        new GenerateMacCommand({
          KeyId: this.#keyArn,
          MacAlgorithm: algorithm,
          Message: macMessage(manifest),
        }),
      ),
    );
    const value = Buffer.from(Mac ?? []).toString('base64');
    const escrow =
      this.#escrow &&
      (await escrowSection(this.#escrow.keys, macMessage(manifest), escrowFingerprints(manifest)));
    const mac = { algorithm, keyArn: this.#keyArn, value };
    return canonicalJson({ manifest, mac, ...(escrow && { escrow }) });
  }

  async #readBack(manifest: Manifest): Promise<StoredManifest> {
    const stored = await this.read(manifest.backupId, null);
    if (stored === undefined) throw new ManifestError('The manifest cannot be read back.');
    if (canonicalJson(stored.manifest) !== canonicalJson(manifest)) {
      throw new ManifestError('Another manifest of this backup is there already.');
    }
    return stored;
  }

  /** Which version of a manifest is the latest, without reading it; nothing when there is none. */
  async latest(backupId: BackupId): Promise<ObjectVersion | undefined> {
    return this.#bucket.look({ key: manifestKey(backupId), versionId: null });
  }

  /**
   * Reads a manifest and has its MAC checked: by KMS, where nothing else was chosen.
   *
   * @returns nothing when there is none.
   * @throws ManifestError when it is not as it was written.
   */
  async read(backupId: BackupId, versionId: string | null): Promise<StoredManifest | undefined> {
    const stored = await this.#bucket.readText({ key: manifestKey(backupId), versionId });
    if (stored === undefined) return undefined;
    const { manifest, mac, escrow } = parseManifest(stored.text);
    if (manifest.backupId !== backupId) {
      throw new ManifestError(`It is the manifest of backup ${manifest.backupId}.`);
    }
    if (this.#escrow?.reads === 'escrow') {
      await verifyEscrowMac(this.#escrow.keys, macMessage(manifest), escrow);
    } else await this.#verify(manifest, Buffer.from(mac.value, 'base64'));
    return { key: stored.key, versionId: stored.versionId, sha256: sha256Of(stored.text), manifest };
  }

  /** The key is the deployment's, not the one that the object names. */
  async #verify(manifest: Manifest, mac: Buffer): Promise<void> {
    await onDependency('KMS', 'VerifyMac', async () => {
      try {
        await this.#kms.send(
          new VerifyMacCommand({
            KeyId: this.#keyArn,
            MacAlgorithm: algorithm,
            Message: macMessage(manifest),
            Mac: mac,
          }),
        );
      } catch (error) {
        if (!(error instanceof KMSInvalidMacException)) throw error;
        throw new ManifestError('The manifest’s MAC is wrong: it is not what Mainstay wrote.');
      }
    });
  }
}

/** The wrapping keys that the objects of a manifest are wrapped by. */
const escrowFingerprints = (manifest: Manifest): ReadonlySet<string> =>
  new Set(objectsOf(manifest).flatMap(({ escrow }) => escrow ?? []));
