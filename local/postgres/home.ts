import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { PostgresBinaries } from './binaries.ts';
import { clearLeftovers } from './orphans.ts';
import { type OsUser, spawnAs, unprivilegedUser } from './os-user.ts';
import { Supervisor } from './supervisor.ts';

const run = promisify(execFile);

/** Where root keeps what the unprivileged user could not reach in the checkout. */
const relocationRoot = '/var/lib/mainstay';

const pointerSchema = z.object({ directory: z.string() });

/** Where the clusters of one state directory live, and who they belong to. */
export interface PostgresHome {
  /** Holds one data directory per instance. */
  dataDirectory: string;
  binDirectory: string;
  /** Whom PostgreSQL runs as; undefined: as the current user. */
  user: OsUser | undefined;
}

/** Below the state directory: what belongs to the runtime's own user, and the data where it can stay here. */
export function postgresDirectory(stateDirectory: string): string {
  return join(resolve(stateDirectory), 'postgres');
}

/** The supervisor of a state directory's clusters. */
export function supervisorOf(stateDirectory: string): Supervisor {
  return new Supervisor(join(postgresDirectory(stateDirectory), 'supervisor.json'));
}

/**
 * Finds the place for the clusters' data. That is the state directory; when root runs this and the
 * user that PostgreSQL has to run as cannot reach the state directory or the binaries, both move to
 * a private directory elsewhere, and the state directory points there.
 *
 * @param relocateTo parent of that directory, `/var/lib/mainstay` by default.
 */
export async function prepareHome(
  stateDirectory: string,
  binaries: PostgresBinaries,
  relocateTo = relocationRoot,
): Promise<PostgresHome> {
  const own = postgresDirectory(stateDirectory);
  await mkdir(own, { recursive: true });
  const unprivileged = await unprivilegedUser();
  if (unprivileged === undefined) {
    await chmod(own, 0o700);
    return { dataDirectory: own, binDirectory: join(binaries.directory, 'bin'), user: undefined };
  }
  const user = (await ownerOfData(own)) ?? unprivileged;
  // Others pass through to the data directories, which only their owner can read.
  await chmod(own, 0o711);
  const relocated = await relocatedDirectory(own);
  if (relocated === undefined && (await canRun(user, binaries.directory, own))) {
    return { dataDirectory: own, binDirectory: join(binaries.directory, 'bin'), user };
  }
  const directory = relocated ?? (await relocate(own, relocateTo, user));
  await moveData(own, directory, user);
  const native = await copyBinaries(binaries, directory);
  if (!(await canRun(user, native, directory))) {
    throw new Error(`PostgreSQL cannot run as user ${user.uid} in ${directory}.`);
  }
  return { dataDirectory: directory, binDirectory: join(native, 'bin'), user };
}

/** Removes everything the clusters of a state directory keep, here and elsewhere; stops what still runs. */
export async function discardClusters(stateDirectory: string): Promise<void> {
  const own = postgresDirectory(stateDirectory);
  await supervisorOf(stateDirectory).waitForEarlier();
  const relocated = await relocatedDirectory(own);
  for (const parent of [relocated, own]) {
    if (parent === undefined) continue;
    for (const name of await dataDirectories(parent)) await clearLeftovers(join(parent, name));
    await rm(parent, { recursive: true, force: true });
  }
  // The last one out removes the shared parent; it stays while another checkout has something there.
  if (relocated !== undefined) await rmdir(dirname(relocated)).catch(() => {});
}

/** Data that an unprivileged user made stays that user's, also when root starts it later. */
async function ownerOfData(own: string): Promise<OsUser | undefined> {
  const [first] = await dataDirectories(own);
  if (first === undefined) return undefined;
  const { uid, gid } = await stat(join(own, first));
  return { uid, gid };
}

async function relocatedDirectory(own: string): Promise<string | undefined> {
  const text = await readFile(join(own, 'location.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : pointerSchema.parse(JSON.parse(text)).directory;
}

async function relocate(own: string, relocateTo: string, user: OsUser): Promise<string> {
  const directory = join(relocateTo, createHash('sha256').update(own).digest('hex').slice(0, 16));
  // Nothing points there: it is what was left when someone removed the state directory by hand.
  for (const name of await dataDirectories(directory)) await clearLeftovers(join(directory, name));
  await rm(directory, { recursive: true, force: true });
  await mkdir(relocateTo, { recursive: true, mode: 0o755 });
  await mkdir(directory, { mode: 0o700 });
  await chown(directory, user.uid, user.gid);
  await writeFile(join(own, 'location.json'), JSON.stringify({ directory }), { mode: 0o600 });
  return directory;
}

/** Takes along what an earlier run could still keep in the state directory. It may have been killed while it did. */
async function moveData(own: string, directory: string, user: OsUser): Promise<void> {
  for (const name of await dataDirectories(own)) {
    await clearLeftovers(join(own, name));
    await rm(join(directory, name), { recursive: true, force: true });
    await move(join(own, name), join(directory, name), user);
  }
}

async function dataDirectories(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => (await exists(join(parent, entry.name, 'PG_VERSION'))) && entry.name),
  );
  return found.filter((name) => name !== false);
}

async function move(from: string, to: string, user: OsUser): Promise<void> {
  try {
    await rename(from, to);
  } catch {
    await cp(from, to, { recursive: true, preserveTimestamps: true });
    await run('chown', ['-R', `${user.uid}:${user.gid}`, to]);
    // Without this file the rest counts for nothing, should the removal be cut short.
    await rm(join(from, 'PG_VERSION'));
    await rm(from, { recursive: true });
  }
}

async function copyBinaries(binaries: PostgresBinaries, directory: string): Promise<string> {
  const target = join(directory, `native-${binaries.version}`);
  if (await exists(target)) return target;
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(join(partial, 'share'), { recursive: true });
  for (const name of ['bin', 'lib', join('share', 'postgresql')]) {
    await run('cp', ['-RP', join(binaries.directory, name), join(partial, name)]);
  }
  await run('chmod', ['-R', 'u=rwX,go=rX', partial]);
  await rename(partial, target);
  return target;
}

/** Tries as the user itself: path permissions, access lists and mount options all have a say. */
async function canRun(user: OsUser, native: string, dataParent: string): Promise<boolean> {
  const script = '"$1/bin/postgres" --version && test -r "$1/share/postgresql/postgres.bki" && test -x "$2"';
  const attempt = run('/bin/sh', ['-c', script, 'sh', native, dataParent], { ...spawnAs(user), cwd: '/' });
  return attempt.then(
    () => true,
    () => false,
  );
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
