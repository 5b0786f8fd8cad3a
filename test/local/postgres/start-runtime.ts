import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ClusterDescription } from '../../../local/postgres/description.ts';

/** A runtime in a process of its own. */
export interface RuntimeProcess {
  pid: number;
  description: ClusterDescription & { authorityFile: string };
  /** Sends a signal and waits for the end of the process itself. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface RuntimeOptions {
  stateDirectory: string;
  nativeDirectory?: string;
  relocateTo?: string;
  uid?: number;
  gid?: number;
}

/** Starts a runtime and waits until it is ready. @throws with its output when it fails. */
export async function startRuntime(options: RuntimeOptions): Promise<RuntimeProcess> {
  const program = fileURLToPath(new URL('runtime-process.ts', import.meta.url));
  const { stateDirectory, nativeDirectory = '', relocateTo = '', ...user } = options;
  const child = spawn(process.execPath, [program, stateDirectory, nativeDirectory, relocateTo], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  const errors: Buffer[] = [];
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  const ended = endOf(child);
  const ready = new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve));
  const line = await Promise.race([ready, ended.then(() => undefined)]);
  if (line === undefined) throw new Error(`The runtime ended: ${Buffer.concat(errors).toString()}`);
  return {
    pid: child.pid ?? 0,
    description: JSON.parse(line),
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
