import type { StoredObject } from '../workflow.ts';
import { componentObjects } from './components.ts';
import type { Manifest, ManifestShard } from './manifest.ts';

/** Every stored object of one shard: DDL, sequences, rows. */
export const shardObjects = ({ preData, postData, sequences, chunks }: ManifestShard): StoredObject[] => [
  preData,
  postData,
  sequences,
  ...chunks,
];

/** Every stored object that a manifest names: of databases, of an import, or of files and configuration. */
export const objectsOf = (manifest: Manifest): StoredObject[] => [
  ...manifest.shards.flatMap(shardObjects),
  ...(manifest.import?.segments ?? []),
  ...componentObjects(manifest),
];
