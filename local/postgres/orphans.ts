import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processStartTime } from '../process-identity.ts';
import { hasCode } from './error-code.ts';
import { isHalted } from './process-tree.ts';
import { socketName } from './settings.ts';
import { waitUntil } from './wait.ts';

const run = promisify(execFile);

/** How far the start of a process and the time its postmaster.pid names may differ, in seconds. */
const startToleranceSeconds = 5;
const shutdownSteps = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5000],
  ['SIGKILL', 5000],
] as const;

/**
 * Makes a data directory free to be started: stops the PostgreSQL that a killed runtime left running
 * in it, and removes the lock file of one that was killed itself. A process is taken for a leftover
 * only when its id, its start time and its data directory all agree with the lock file.
 */
export async function clearLeftovers(dataDirectory: string): Promise<void> {
  const lockFile = join(dataDirectory, 'postmaster.pid');
  const lock = await readLock(lockFile);
  if (lock === undefined) return;
  if (await isPostmaster(lock, dataDirectory)) await stopProcess(lock.pid);
  await stopBackends(dataDirectory);
  for (const name of ['postmaster.pid', socketName, `${socketName}.lock`]) {
    await rm(join(dataDirectory, name), { force: true });
  }
}

interface LockFile {
  pid: number;
  startedAtSeconds: number;
}

async function readLock(path: string): Promise<LockFile | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid, , startedAt] = text.split('\n').map(Number);
  return { pid: Math.abs(pid || 0), startedAtSeconds: startedAt || 0 };
}

async function isPostmaster(lock: LockFile, dataDirectory: string): Promise<boolean> {
  if (lock.pid <= 1) return false;
  const found = process.platform === 'linux' ? await fromProc(lock.pid) : await fromPs(lock.pid);
  return (
    found !== undefined &&
    Math.abs(found.startedAtSeconds - lock.startedAtSeconds) <= startToleranceSeconds &&
    found.command.includes('postgres') &&
    found.command.includes(dataDirectory)
  );
}

interface ProcessFacts {
  startedAtSeconds: number;
  command: string;
}

async function fromProc(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold spaces and brackets; the numbers begin after the last bracket.
    const ticks = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[19]);
    const boot = Number(/^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1]);
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    // Linux counts in hundredths of a second here, whatever its own timer's frequency.
    return { startedAtSeconds: boot + ticks / 100, command };
  } catch {
    return undefined;
  }
}

async function fromPs(pid: number): Promise<ProcessFacts | undefined> {
  const column = async (name: string) =>
    (
      await run('ps', ['-ww', '-o', `${name}=`, '-p', String(pid)], { env: { ...process.env, LC_ALL: 'C' } })
    ).stdout.trim();
  try {
    return { startedAtSeconds: Date.parse(await column('lstart')) / 1000, command: await column('command') };
  } catch {
    return undefined;
  }
}

async function stopProcess(pid: number): Promise<void> {
  const startedAt = await processStartTime(pid);
  // A process that nobody has reaped yet is gone; its id may even belong to another one by now.
  const isGone = async () => startedAt === undefined || (await processStartTime(pid)) !== startedAt;
  // What has been halted cannot shut down.
  const steps = (await isHalted(pid)) ? shutdownSteps.slice(-1) : shutdownSteps;
  for (const [signal, patienceMs] of steps) {
    if (await isGone()) return;
    signalIfThere(pid, signal);
    const stopped = await waitUntil(isGone, patienceMs, '').then(
      () => true,
      () => false,
    );
    if (stopped) return;
  }
  throw new Error(`PostgreSQL of an earlier run (process ${pid}) does not stop.`);
}

/** Backends that outlived a killed postmaster keep its memory: every process of PostgreSQL works in its data directory. */
async function stopBackends(dataDirectory: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const real = await realpath(dataDirectory);
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const inside = async (pid: number) =>
    (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === real &&
    (await readlink(`/proc/${pid}/exe`).catch(() => '')).includes('postgres');
  for (const pid of pids) if (await inside(pid)) await stopProcess(pid);
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
