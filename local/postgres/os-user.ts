import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A user of the operating system, with ids as `stat` gives them. */
export interface OsUser {
  uid: number;
  gid: number;
}

/** Who may stand in for root, best first: initdb insists on a user that has an entry in passwd. */
const candidates = ['postgres', '_postgres', 'nobody'];

/**
 * The user to run PostgreSQL as when root starts it, since PostgreSQL refuses to run as root.
 *
 * @returns undefined when the current process is not root's: then nothing has to change.
 * @throws when root's machine has no unprivileged user to run it as.
 */
export async function unprivilegedUser(): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of candidates) {
    const uid = await idOf('-u', name);
    const gid = await idOf('-g', name);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error(
    `PostgreSQL refuses to run as root, and there is none of the users ${candidates.join(', ')} to run it as.`,
  );
}

/** The options that make Node start a process as this user; it takes ids as signed numbers there. */
export function spawnAs(user: OsUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid | 0, gid: user.gid | 0 };
}

async function idOf(kind: '-u' | '-g', name: string): Promise<number | undefined> {
  const { stdout } = await run('id', [kind, name]).catch(() => ({ stdout: '' }));
  const id = Number.parseInt(stdout, 10);
  // macOS gives nobody the id -2, also known as 4294967294.
  return Number.isNaN(id) || id === 0 ? undefined : id >>> 0;
}
