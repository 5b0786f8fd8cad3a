import { chown, copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from './archive.ts';
import type { Instance } from './instance.ts';
import type { OsUser } from './os-user.ts';
import { copyTree } from './standby.ts';
import { waitUntil } from './wait.ts';

/** How long PostgreSQL may take to replay a log, in milliseconds. */
const replayPatienceMs = 600_000;
/** How long the archiver may take to copy the last segment, in milliseconds. */
const archivePatienceMs = 30_000;
/** What PostgreSQL says when the log ends before a time: nothing was committed after it. */
const endedBefore = 'recovery ended before configured recovery target was reached';

/** What a cluster's data as of a time are made from. */
export interface VolumeSource {
  archive: Archive;
  /** The log of a writer that does not run, which its archiver may not have copied to its end. */
  unarchived: string | undefined;
}

/** Has the archiver copy the log up to now. A commit of its own marks the time: a recovery stops at the first one after its target. */
export async function flushLog(writer: Instance, archive: Archive): Promise<void> {
  await writer.admin.query('SELECT pg_current_xact_id()');
  const [row] = await writer.admin.query('SELECT pg_walfile_name(pg_switch_wal()) AS segment');
  const segment = join(archive.log, String(row?.segment));
  await waitUntil(() => exists(segment), archivePatienceMs, `the log of ${writer.identifier} to be archived`);
}

/**
 * Fills the data directory of `volume` with a cluster's data as of a time: a base backup, the archived log replayed
 * up to the last transaction that was committed by then. The server does not run afterwards.
 *
 * @param time milliseconds since the epoch; undefined: as far as the log goes.
 * @throws when there is no base backup that is old enough.
 */
export async function restoreVolume(
  volume: Instance,
  { archive, unarchived }: VolumeSource,
  time: number | undefined,
): Promise<void> {
  await archive.holdFor(async () => {
    const base = archive.baseFor(time);
    if (base === undefined) throw new Error('There is no base backup of that time any more.');
    const { data, label } = archive.dataOf(base);
    const fill = () =>
      volume.replaceData(async (directory, owner) => {
        await copyTree(data, directory, owner);
        await copyOwned(label, join(directory, 'backup_label'), owner);
        if (unarchived !== undefined) await copyLog(unarchived, join(directory, 'pg_wal'), owner);
      });
    try {
      await fill();
      await replay(volume, archive, time);
    } catch (error) {
      await volume.stop();
      if (time === undefined || !(await volume.endOfLog()).includes(endedBefore)) throw error;
      // The log is complete up to that time: its end is the state of then.
      await fill();
      await replay(volume, archive, undefined);
    }
    await volume.stop();
  });
}

async function replay(volume: Instance, archive: Archive, time: number | undefined): Promise<void> {
  let crashed = false;
  volume.onCrash = () => {
    crashed = true;
  };
  await volume.start({
    forceSsl: true,
    primary: undefined,
    recovery: { log: archive.log, time: time === undefined ? undefined : new Date(time) },
  });
  await waitUntil(
    async () => {
      if (crashed) throw new Error(`${volume.identifier} ended. ${await volume.endOfLog()}`);
      const [row] = await volume.admin.query('SELECT pg_is_in_recovery() AS recovering').catch(() => []);
      return row?.recovering === false;
    },
    replayPatienceMs,
    `${volume.identifier} to have replayed the log`,
  );
}

async function copyLog(from: string, to: string, owner: OsUser | undefined): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of await readdir(from)) {
    if (/^[0-9A-F]{24}$|^[0-9A-F]{8}\.history$/.test(name)) {
      await copyOwned(join(from, name), join(to, name), owner);
    }
  }
}

async function copyOwned(from: string, to: string, owner: OsUser | undefined): Promise<void> {
  await copyFile(from, to);
  if (owner !== undefined) await chown(to, owner.uid, owner.gid);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
