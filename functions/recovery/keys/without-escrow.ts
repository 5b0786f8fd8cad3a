import type { Manifest } from '../manifest/manifest.ts';
import { objectsOf } from '../manifest/objects-of.ts';

/** How many objects of a backup only KMS opens, those of earlier backups that it refers to among them. */
export const withoutEscrow = (manifest: Manifest): number =>
  objectsOf(manifest).filter(({ escrow }) => escrow === undefined).length;
