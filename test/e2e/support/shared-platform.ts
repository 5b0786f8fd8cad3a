import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { passableDirectory } from '../../support/temporary-directory.ts';
import { type LocalJson, LocalPlatform, readLocalJson } from './local-platform.ts';

const variable = 'MAINSTAY_TEST_STATE';
let shared: { platform: LocalPlatform; parent: string } | undefined;

/** Boots the local runtime that all end-to-end tests share. */
export async function startSharedPlatform(): Promise<void> {
  const parent = await passableDirectory('mainstay-e2e-');
  const platform = await LocalPlatform.start(join(parent, '.mainstay'));
  await writeFile(join(parent, 'printed.txt'), platform.output);
  shared = { platform, parent };
  process.env[variable] = platform.stateDirectory;
}

export async function stopSharedPlatform(): Promise<void> {
  if (shared === undefined) return;
  const code = await shared.platform.stop();
  await rm(shared.parent, { recursive: true, force: true });
  if (code !== 0) throw new Error(`The shared runtime ended with ${code}:\n${shared.platform.output}`);
}

/** Where the shared runtime keeps its state. */
export function sharedStateDirectory(): string {
  const directory = process.env[variable];
  if (directory === undefined) throw new Error('The shared runtime is not running.');
  return directory;
}

export function sharedPlatform(): Promise<LocalJson> {
  return readLocalJson(sharedStateDirectory());
}
