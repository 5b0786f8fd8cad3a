import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { expected, ReencryptedBackups } from '../functions/recovery/support/reencrypted-backups.ts';
import { closeRuns, Killed } from '../functions/recovery/support/reencryption-run.ts';
import { storedVersions } from '../functions/recovery/support/stored-versions.ts';
import { type Aws, startAwsWorld } from '../functions/recovery/support/world.ts';

jest.setTimeout(300_000);

const hour = 3_600_000;
let world: Aws;
let backup: ReencryptedBackups['backup'];
let reencryption: ReencryptedBackups['reencryption'];
let content: ReencryptedBackups['content'];
let reserved: ReencryptedBackups['reserved'];
beforeAll(async () => {
  world = await startAwsWorld();
  ({ backup, reencryption, content, reserved } = new ReencryptedBackups(world));
});
afterAll(() => {
  closeRuns();
  return world?.close();
});

it('a backup that is re-encrypted can be restored after every write at which it is killed, and comes to its end', async () => {
  const id = await backup();
  const run = reencryption(id, { keyArn: world.keys.other });
  const keys = [world.keys.other, world.verifyPlace.keyArn];
  let kills = 0;
  for (const step of [() => run.start(), () => run.objects(), () => run.finish()]) {
    for (let budget = 0; ; budget++) {
      run.budget = budget;
      const done = await step().then(
        () => true,
        (error) => {
          if (!(error instanceof Killed || error?.cause instanceof Killed)) throw error;
          return false;
        },
      );
      if (done) break;
      kills++;
      expect(await content(id, ...keys)).toBe(expected);
    }
  }
  expect(kills).toBeGreaterThan(10);
  expect(await content(id, world.keys.other)).toBe(expected);
  expect((await world.operations.get(run.id))?.state).toBe('completed');
  expect(await reserved(id)).toBe('none');
});

it.each([
  ['before its manifest was replaced', 1, false],
  ['before the catalogue heard of the manifest', 2, true],
  ['before anything was removed', 3, true],
])('a re-encryption is settled by the sweep when it is killed for good %s', async (_, writes, replaced) => {
  const id = await backup();
  const before = (await world.catalog.get(id))?.manifest;
  const run = reencryption(id, { keyArn: world.keys.other });
  await run.start();
  await run.objects();
  run.budget = writes - 1;
  await expect(run.finish()).rejects.toBeInstanceOf(Error);
  run.budget = Number.POSITIVE_INFINITY;
  expect(await run.sweep()).toMatchObject({ remaining: true });
  await run.fail();
  expect(await run.sweep()).toMatchObject({ remaining: true });
  expect(await reserved(id)).toBe(run.id);
  run.now += hour;
  expect(await run.sweep()).toMatchObject({ remaining: false, objectsRemoved: replaced ? 2 : 1 });
  const { manifest } = (await world.catalog.get(id)) ?? {};
  expect(manifest?.sha256 === before?.sha256).toBe(!replaced);
  expect(await content(id, replaced ? world.keys.other : world.verifyPlace.keyArn)).toBe(expected);
  expect(await storedVersions(world.bucket, id)).toHaveLength(2);
  expect(await reserved(id)).toBe('none');
  expect(await world.catalog.sweepOf(id)).toBeUndefined();
  await reencryption(id, { keyArn: world.keys.other }).start();
});
