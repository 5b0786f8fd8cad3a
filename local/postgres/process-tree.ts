import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hasCode } from './error-code.ts';

const run = promisify(execFile);

/** A process as the system lists it. */
interface ListedProcess {
  pid: number;
  parent: number;
  /** Whether it has been halted with SIGSTOP. */
  halted: boolean;
  /** Its command line; PostgreSQL's processes say there what they do, for example `walsender`. */
  title: string;
}

/** A process and everything it started, itself first; empty when it is gone. */
export async function processTree(root: number): Promise<ListedProcess[]> {
  const all = process.platform === 'linux' ? await fromProc() : await fromPs();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/**
 * Sends a signal to a process and everything it started, to the process first: PostgreSQL would start anew what ended before it.
 *
 * @param matching only to those whose title holds this text; default: to all.
 * @returns how many got it.
 */
export async function signalTree(root: number, signal: NodeJS.Signals, matching = ''): Promise<number> {
  const chosen = (await processTree(root)).filter(({ title }) => title.includes(matching));
  for (const { pid } of chosen) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error;
    }
  }
  return chosen.length;
}

/** Whether the process or something it started has been halted: it cannot end in order then. */
export async function isHalted(root: number): Promise<boolean> {
  return (await processTree(root)).some(({ halted }) => halted);
}

async function fromProc(): Promise<ListedProcess[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const found = await Promise.all(pids.map(readProc));
  return found.filter((one) => one !== undefined);
}

async function readProc(pid: number): Promise<ListedProcess | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold spaces and brackets; the state begins after the last bracket.
    const [state = '', parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const title = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    return { pid, parent: Number(parent), halted: state === 'T', title };
  } catch {
    return undefined;
  }
}

async function fromPs(): Promise<ListedProcess[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,ppid=,stat=,command='], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null) return [];
    const [, pid, parent, state = '', title = ''] = match;
    return [{ pid: Number(pid), parent: Number(parent), halted: state.startsWith('T'), title }];
  });
}
