import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findBinaries } from '../../local/postgres/binaries.ts';
import { discardClusters } from '../../local/postgres/home.ts';
import { type RuntimeProcess, startRuntime } from '../local/postgres/start-runtime.ts';
import { query, Sandbox, until } from '../local/postgres/support.ts';

/** Only root can give things to others; as a plain user, every other suite tests the plain user's case. */
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

let sandbox: Sandbox;
let running: RuntimeProcess | undefined;

beforeEach(async () => {
  sandbox = await Sandbox.create();
});

afterEach(async () => {
  await running?.end('SIGTERM');
  running = undefined;
  expect(await sandbox.processes()).toEqual([]);
  await sandbox.dispose();
});

async function answer(runtime: RuntimeProcess, text: string): Promise<unknown> {
  const login = { ca: await readFile(runtime.description.authorityFile, 'utf8') };
  const [row] = await query(runtime.description.endpoint, login, text);
  return row?.answer;
}

async function ownerOf(pid: number | undefined): Promise<number> {
  return (await stat(`/proc/${pid}`)).uid;
}

const dataOf = (runtime: RuntimeProcess) => answer(runtime, `SELECT 42 AS answer`);

asRoot('a runtime that a plain user starts', () => {
  it('runs PostgreSQL as that user, in the state directory', async () => {
    const user = { uid: 65_534, gid: 65_534 };
    await chown(sandbox.directory, user.uid, user.gid);
    running = await startRuntime({ stateDirectory: sandbox.stateDirectory, ...user });
    expect(await dataOf(running)).toBe(42);
    expect(await ownerOf(running.description.instances[0]?.pid)).toBe(user.uid);
    expect(await readdir(join(sandbox.stateDirectory, 'postgres'))).toContain('shard-a-1');
  }, 60_000);
});

asRoot('a runtime that root starts', () => {
  const relocateTo = () => join(sandbox.directory, 'elsewhere');

  /** The checkout, below a directory that only root can enter once it is closed. */
  const checkout = () => join(sandbox.directory, 'private', 'checkout');

  beforeEach(async () => {
    await mkdir(checkout(), { recursive: true });
  });

  const start = async (nativeDirectory?: string) => {
    running = await startRuntime({
      stateDirectory: join(checkout(), 'state'),
      relocateTo: relocateTo(),
      ...(nativeDirectory === undefined ? {} : { nativeDirectory }),
    });
    return running;
  };

  const stop = async () => {
    await running?.end('SIGTERM');
    running = undefined;
  };

  it('keeps the data in the checkout where others can enter it', async () => {
    const runtime = await start();
    expect(await ownerOf(runtime.description.instances[0]?.pid)).not.toBe(0);
    expect(await readdir(join(checkout(), 'state', 'postgres'))).toContain('shard-a-1');
    await expect(readdir(relocateTo())).rejects.toMatchObject({ code: 'ENOENT' });
  }, 60_000);

  it('moves data and binaries to a private directory where others cannot, and takes the data along', async () => {
    const native = join(checkout(), 'native');
    await symlink((await findBinaries()).directory, native);
    const open = await start(native);
    const login = { ca: await readFile(open.description.authorityFile, 'utf8') };
    await query(open.description.endpoint, login, 'CREATE TABLE kept AS SELECT 43 AS answer');
    await stop();

    await chmod(join(sandbox.directory, 'private'), 0o700);
    const runtime = await start(native);
    expect(await answer(runtime, 'SELECT answer FROM kept')).toBe(43);
    const [relocated = ''] = await readdir(relocateTo());
    expect((await stat(join(relocateTo(), relocated))).mode & 0o777).toBe(0o700);
    const names = await readdir(join(relocateTo(), relocated));
    expect(names).toEqual(expect.arrayContaining(['shard-a-1', expect.stringMatching(/^native-/)]));
    expect(await readdir(join(checkout(), 'state', 'postgres'))).not.toContain('shard-a-1');

    await running?.end('SIGKILL');
    running = undefined;
    await discardClusters(join(checkout(), 'state'));
    await until('nothing runs', async () => (await sandbox.processes()).length === 0);
    await expect(readdir(relocateTo())).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readdir(join(checkout(), 'state', 'postgres'))).rejects.toMatchObject({ code: 'ENOENT' });
  }, 60_000);

  it('starts empty at the private directory when someone has removed the state directory', async () => {
    await chmod(join(sandbox.directory, 'private'), 0o700);
    const left = join(
      relocateTo(),
      createHash('sha256')
        .update(join(checkout(), 'state', 'postgres'))
        .digest('hex')
        .slice(0, 16),
    );
    await mkdir(join(left, 'shard-a-1'), { recursive: true });
    await writeFile(join(left, 'shard-a-1', 'PG_VERSION'), '17\n');
    const runtime = await start();
    expect(await dataOf(runtime)).toBe(42);
    expect(await readdir(relocateTo())).toHaveLength(1);
    await stop();
    await discardClusters(join(checkout(), 'state'));
  }, 60_000);
});
