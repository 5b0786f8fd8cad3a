import { sampleMemory } from '../../local/lambda/memory.ts';

/**
 * Most memory of this process that was resident at once. `getrusage` is asked only where there is nothing else: on Linux
 * its answer begins with what the process that started this one held.
 */
export const ownPeakBytes = (): number =>
  sampleMemory(process.pid)?.peakRssBytes ?? process.resourceUsage().maxRSS * 1024;
