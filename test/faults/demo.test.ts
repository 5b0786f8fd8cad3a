import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { onShard } from '../e2e/support/databases.ts';
import { sharedPlatform, sharedStateDirectory } from '../e2e/support/shared-platform.ts';

const run = promisify(execFile);
const projectDirectory = resolve(import.meta.dirname, '../..');

describe('npm run demo', () => {
  it('compares the shards, takes a backup, restores it, finds the one bit that it flipped, and leaves nothing behind', async () => {
    const { stdout, stderr } = await run(process.execPath, ['bin/demo.ts', '--shard', 'shard-b'], {
      cwd: projectDirectory,
      env: { ...process.env, NODE_OPTIONS: '', MAINSTAY_STATE: sharedStateDirectory() },
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/✔ shards compared: (nothing to move|\d+ moves planned, none made)/);
    expect(stdout).toMatch(/even: variance [\d.]+ .*\n\n {2}shard +user +content +size [\s\S]* {2}shard-b /);
    expect(stdout).toMatch(/✔ backup complete, every object read back/);
    expect(stdout).toMatch(/✔ verified: \d+ objects, all right/);
    expect(stdout).toMatch(/✔ restored beside the originals: \d+ tables, all identical/);
    expect(stdout).toMatch(
      /one bit is flipped on the disk, in\n {4}(\S+)\n[\s\S]*, 1 wrong .*\n {4}\1\n {4}hash-mismatch/,
    );
    expect(stdout).toMatch(
      /✔ deleted; everything is as it was +[\d.]+ m?s\n\n {2}[\d,]+ rows +size +ratio +rate +time\n/,
    );
    expect(stdout).toMatch(/restored and compared +[\d.]+ MB +[\d.]+ [kM]B\/s +[\d.]+ s\n\n$/);
    expect(stdout).toMatch(/stored +[\d.]+ MB +[\d.]+ : 1\n/);
    const local = await sharedPlatform();
    for (const { name } of local.shards) {
      const { rows } = await onShard(local, name, (client) =>
        client.query("SELECT datname FROM pg_database WHERE datname LIKE '%restored%'"),
      );
      expect(rows).toEqual([]);
    }
  }, 240_000);
});
