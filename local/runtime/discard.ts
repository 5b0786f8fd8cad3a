import { readdir, rm } from 'node:fs/promises';
import { discardClusters } from '../postgres/home.ts';
import type { StateDirectory } from './state-directory.ts';

/** Removes everything that earlier runs have left, but the lock and the synthesized assembly. */
export async function discardState(state: StateDirectory): Promise<void> {
  await discardClusters(state.path);
  for (const name of await readdir(state.path)) {
    if (name === 'lock' || name.startsWith('cdk.out')) continue;
    await rm(state.join(name), { recursive: true, force: true });
  }
}
