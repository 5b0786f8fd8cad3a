import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a condition, asking every few milliseconds.
 *
 * @param what what is waited for, for the message of the error.
 * @throws when it does not come about within `timeoutMs`.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() >= deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    await sleep(15);
  }
}
