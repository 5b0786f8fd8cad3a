import type { StoredObject } from '../workflow.ts';
import type { Manifest } from './manifest.ts';

/** The stored objects of a backup that are not of its databases: files, their list, and the configuration. */
export const componentObjects = ({
  files,
  configuration,
}: Pick<Manifest, 'files' | 'configuration'>): StoredObject[] => [
  ...(files === undefined ? [] : [files.index, ...files.objects]),
  ...(configuration === undefined ? [] : [configuration.object]),
];
