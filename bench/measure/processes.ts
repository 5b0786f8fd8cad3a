import { readFileSync } from 'node:fs';
import { canSampleAtOnce, sampleMemory } from '../../local/lambda/memory.ts';

/** How often processes are looked at, in milliseconds. */
const intervalMs = 20;

/** Watches the memory of a process and of everything it starts. Linux only: elsewhere it sees nothing. */
export class MemoryWatch {
  readonly #root: number;
  readonly #peaks = new Map<number, number>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(pid: number) {
    this.#root = pid;
    if (canSampleAtOnce) this.#timer = setInterval(() => this.#look(), intervalMs);
  }

  /** Ends the watch. Returns the sum of the peaks of all processes, in bytes; undefined when none was seen. */
  end(): number | undefined {
    clearInterval(this.#timer);
    if (this.#peaks.size === 0) return undefined;
    return [...this.#peaks.values()].reduce((sum, peak) => sum + peak, 0);
  }

  #look(): void {
    for (const pid of descendants(this.#root)) {
      const sample = sampleMemory(pid);
      if (sample !== undefined) this.#peaks.set(pid, sample.peakRssBytes);
    }
  }
}

/** The processes below one, as the kernel lists them. */
function descendants(pid: number): number[] {
  let listed: string;
  try {
    listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    return [];
  }
  const children = listed.split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}
