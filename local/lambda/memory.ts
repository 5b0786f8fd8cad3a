import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Memory of a process, in bytes. */
export interface MemorySample {
  /** Resident now. */
  rssBytes: number;
  /** Most that was resident at once since the process began, where the system tells it. */
  peakRssBytes: number;
}

/** Whether the memory of another process can be read at once, without a further process. */
export const canSampleAtOnce = process.platform === 'linux';

/** Reads a process's memory from `/proc`; undefined when the process is gone. Linux only. */
export function sampleMemory(pid: number): MemorySample | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined;
  }
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  const rssBytes = kib('VmRSS') * 1024;
  // A process that has just ended has no memory left to report.
  return rssBytes === 0 ? undefined : { rssBytes, peakRssBytes: kib('VmHWM') * 1024 };
}

/** Resident bytes of processes by id, by `ps`. Processes that are gone are left out. */
export async function sampleMemoryByPs(pids: readonly number[]): Promise<Map<number, number>> {
  const { stdout } = await run('ps', ['-o', 'pid=,rss=', '-p', pids.join(',')]).catch(() => ({ stdout: '' }));
  const samples = new Map<number, number>();
  for (const line of stdout.split('\n')) {
    const [pid, kib] = line.trim().split(/\s+/).map(Number);
    if (pid !== undefined && kib !== undefined && Number.isFinite(kib)) samples.set(pid, kib * 1024);
  }
  return samples;
}
