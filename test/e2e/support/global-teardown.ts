import { rm } from 'node:fs/promises';
import { secretsInLogs } from './secrets-in-logs.ts';
import { parentDirectory, stopPlatforms } from './shared-platform.ts';

/** Stops the runtimes of all workers, which has to leave nothing behind, and no secret in any log. */
export default async function tearDown(): Promise<void> {
  const parent = parentDirectory();
  try {
    await stopPlatforms();
    const found = await secretsInLogs(parent);
    if (found.length > 0) throw new Error(`Logs of this run hold secrets:\n${found.join('\n')}`);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}
