import { pinnedSettings } from '../snapshot/session.ts';
import type { Manifest } from './manifest.ts';

/** How the objects of a backup taken now are made, as its manifest says. */
export const encodingOf = (keyArn: string): Manifest['encoding'] => ({
  rows: 'PostgreSQL COPY text',
  encryption: 'AWS Encryption SDK message, ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY',
  keyArn,
  settings: { ...pinnedSettings },
});
