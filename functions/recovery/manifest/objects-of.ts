import type { StoredObject } from '../workflow.ts';
import { componentObjects } from './components.ts';
import type { Manifest } from './manifest.ts';

/** Every stored object that a manifest names: of databases, files, configuration, or of an import. */
export const objectsOf = (manifest: Manifest): StoredObject[] => [
  ...manifest.shards.flatMap(({ preData, postData, sequences, chunks }) => [
    preData,
    postData,
    sequences,
    ...chunks,
  ]),
  ...componentObjects(manifest),
  ...(manifest.import?.segments ?? []),
];
