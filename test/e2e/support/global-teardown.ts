import { rm } from 'node:fs/promises';
import { parentDirectory, stopPlatforms } from './shared-platform.ts';

/** Stops the runtimes of all workers, which has to leave nothing behind. */
export default async function tearDown(): Promise<void> {
  const parent = parentDirectory();
  try {
    await stopPlatforms();
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}
