import { chown, constants, copyFile, mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './error-code.ts';
import type { Instance } from './instance.ts';
import type { OsUser } from './os-user.ts';
import { waitUntil } from './wait.ts';

/** Directories whose content belongs to the server that wrote it, or is made anew at its start. */
const emptied = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
]);
const leftOut =
  /^(postmaster\.(pid|opts)|standby\.signal|recovery\.signal|backup_label.*|pg_internal\.init|\.s\.PGSQL\..*|pgsql_tmp.*)$/;

/**
 * Makes `standby` a copy of the running `primary`, from which it can start to stream: an online
 * base backup, its write-ahead log left for the standby to fetch. Data the standby had are replaced.
 */
export async function copyToStandby(primary: Instance, standby: Instance): Promise<void> {
  await primary.admin.withDatabase('postgres', async (session) => {
    await session.query('SELECT pg_backup_start($1, fast => true)', [standby.identifier]);
    await standby.replaceData(async (directory, owner) => {
      await copyTree(primary.dataDirectory, directory, owner);
      const { rows } = await session.query<{ labelfile: string; spcmapfile: string }>(
        'SELECT labelfile, spcmapfile FROM pg_backup_stop(wait_for_archive => false)',
      );
      await writeOwned(join(directory, 'backup_label'), rows[0]?.labelfile ?? '', owner);
    });
  });
}

/**
 * Waits until a standby receives the primary's write-ahead log.
 *
 * @returns false when it does not within the time.
 */
export async function isStreaming(
  standby: Instance,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  const receiver = `SELECT status = 'streaming' AS streaming FROM pg_stat_wal_receiver`;
  for (;;) {
    const [row] = await standby.admin.query(receiver);
    if (row?.streaming === true) return true;
    if (Date.now() >= deadline || signal?.aborted === true) return false;
    await sleep(20);
  }
}

/** Makes a standby the primary of a new timeline. @throws when it does not accept writes within a minute. */
export async function promote(standby: Instance): Promise<void> {
  await standby.admin.query('SELECT pg_promote(wait => false)');
  await waitUntil(
    async () =>
      (await standby.admin.query('SELECT pg_is_in_recovery() AS recovering'))[0]?.recovering === false,
    60_000,
    `${standby.identifier} to become the primary`,
  );
}

/**
 * Copies a data directory that a server may be working in, without what belongs to that server alone.
 *
 * @throws when `signal` is aborted.
 */
export async function copyTree(
  from: string,
  to: string,
  owner: OsUser | undefined,
  signal?: AbortSignal,
): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    signal?.throwIfAborted();
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (leftOut.test(entry.name)) continue;
    if (entry.isDirectory()) {
      await makeDirectory(target, owner);
      if (entry.name === 'pg_wal') await makeDirectory(join(target, 'archive_status'), owner);
      if (!emptied.has(entry.name)) await copyTree(source, target, owner, signal);
    } else if (entry.isFile()) {
      await ignoringVanished(async () => {
        await copyFile(source, target, constants.COPYFILE_FICLONE);
        await give(target, owner);
      });
    } else if (entry.isSymbolicLink()) {
      await symlink(await readlink(source), target);
    }
  }
}

/** The server goes on working during the copy: a file that is gone now is not needed. */
async function ignoringVanished(copy: () => Promise<void>): Promise<void> {
  try {
    await copy();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

async function makeDirectory(path: string, owner: OsUser | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  await give(path, owner);
}

async function writeOwned(path: string, content: string, owner: OsUser | undefined): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  await give(path, owner);
}

async function give(path: string, owner: OsUser | undefined): Promise<void> {
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}
