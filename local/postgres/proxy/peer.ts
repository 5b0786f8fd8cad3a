import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * The name of the function whose process has opened a connection; empty when it is none, or where the system does not tell.
 *
 * @param peerPort port of the connection's other end.
 * @param port port that it has come to.
 */
export async function functionBehind(peerPort: number, port: number): Promise<string> {
  const inode = await inodeOf(peerPort, port);
  if (inode === undefined) return '';
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const names = await Promise.all(pids.map((pid) => nameOf(pid, inode)));
  return names.find((name) => name !== undefined) ?? '';
}

/** The system's number of the socket at the other end. */
async function inodeOf(peerPort: number, port: number): Promise<string | undefined> {
  const table = await readFile('/proc/net/tcp', 'utf8').catch(() => '');
  const [own, other] = [peerPort, port].map((number) => number.toString(16).toUpperCase().padStart(4, '0'));
  for (const line of table.split('\n')) {
    const [, local = '', remote = '', , , , , , , inode] = line.trim().split(/\s+/);
    if (local.endsWith(`:${own}`) && remote.endsWith(`:${other}`)) return inode;
  }
  return undefined;
}

async function nameOf(pid: number, inode: string): Promise<string | undefined> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  const name = /(?:^|\0)AWS_LAMBDA_FUNCTION_NAME=([^\0]*)/.exec(environment)?.[1];
  if (name === undefined) return undefined;
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const file of files) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
    if (target === `socket:[${inode}]`) return name;
  }
  return undefined;
}
