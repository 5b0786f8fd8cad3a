import { createHash } from 'node:crypto';
import type { BackupId } from '../../../../functions/recovery/ids.ts';
import type { Manifest } from '../../../../functions/recovery/manifest/manifest.ts';
import { objectsOf } from '../../../../functions/recovery/manifest/objects-of.ts';
import { readVerified } from '../../../../functions/recovery/objects/verify-object.ts';
import { ImportRun } from '../import/support/import-run.ts';
import { type ReencryptionOptions, ReencryptionRun } from './reencryption-run.ts';
import type { Aws } from './world.ts';

/** What a backup holds that is no more than needed. */
export const dump = Buffer.alloc(10_000, 'one row after the other\n');
export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
export const expected = sha256(dump);

/** Backups that are re-encrypted, seen as whoever restores them sees them. */
export class ReencryptedBackups {
  readonly #world: Aws;

  constructor(world: Aws) {
    this.#world = world;
  }

  readonly backup = async (of: Aws = this.#world, content: Buffer = dump): Promise<BackupId> => {
    const run = new ImportRun(of);
    await run.complete(content);
    return run.id;
  };

  readonly reencryption = (id: BackupId, options?: ReencryptionOptions) =>
    new ReencryptionRun(this.#world, id, options);

  /** The manifest that the catalogue names. */
  readonly committed = async (id: BackupId, manifests = this.#world.manifests): Promise<Manifest> => {
    const { manifest } = (await this.#world.catalog.get(id)) ?? {};
    const stored = await manifests.read(id, manifest?.versionId ?? null);
    if (stored === undefined || stored.sha256 !== manifest?.sha256) throw new Error('It is not the one');
    return stored.manifest;
  };

  /** SHA-256 of what the backup holds, each object opened by any of these keys. */
  readonly content = async (id: BackupId, ...keyArns: string[]): Promise<string> => {
    const hash = createHash('sha256');
    for (const object of objectsOf(await this.committed(id))) {
      const pieces: Buffer[] = [];
      const problems: unknown[] = [];
      for (const keyArn of keyArns) {
        const place = { ...this.#world.verifyPlace, keyArn };
        const { problem } = await readVerified(place, object, (piece) => void pieces.push(piece));
        if (problem === undefined) break;
        problems.push(problem);
      }
      if (problems.length === keyArns.length) throw new Error(JSON.stringify(problems));
      for (const piece of pieces) hash.update(piece);
    }
    return hash.digest('hex');
  };

  readonly reserved = async (id: BackupId) => (await this.#world.catalog.get(id))?.reencrypting;
}
