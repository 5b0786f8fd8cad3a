import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { functionFigures, lastHours } from '../summary/figures.ts';
import { countedBetween } from '../tally/counters.ts';
import type { TallyStore } from '../tally/tally-store.ts';
import type { systemRoutes } from './contract.ts';

interface Parts {
  readonly store: TallyStore;
  readonly build: { readonly environment: string; readonly version: string };
  readonly memoryLimitBytes: number;
  readonly now: () => number;
}

const hours = 24;
const named = 5;

/** The handlers of the system itself. */
export function systemHandlers({
  store,
  build,
  memoryLimitBytes,
  now,
}: Parts): RouteHandlers<typeof systemRoutes> {
  return {
    stats: async () => {
      const { fromMs, toMs } = lastHours(hours, now());
      const [tally, disk] = await Promise.all([countedBetween(store, fromMs, toMs), diskOf(tmpdir())]);
      const figures = functionFigures(tally);
      const sum = (read: (figure: (typeof figures)[number]) => number) =>
        figures.reduce((all, figure) => all + read(figure), 0);
      return {
        status: 200,
        body: {
          ...build,
          process: processFigures(memoryLimitBytes, now()),
          disk,
          functions: {
            invocations: sum(({ invocations }) => invocations),
            errors: sum(({ errors }) => errors),
            coldStarts: sum(({ coldStarts }) => coldStarts),
            memory: figures
              .filter(({ memoryLimitBytes: limit }) => limit > 0)
              .map((each) => ({
                function: each.function,
                peakBytes: each.peakMemoryBytes,
                limitBytes: each.memoryLimitBytes,
              }))
              .sort((a, b) => b.peakBytes / b.limitBytes - a.peakBytes / a.limitBytes)
              .slice(0, named),
          },
        },
      };
    },
  };
}

function processFigures(memoryLimitBytes: number, now: number) {
  const uptimeSeconds = process.uptime();
  const cpu = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  return {
    node: process.version,
    startedAt: new Date(now - uptimeSeconds * 1000).toISOString(),
    uptimeSeconds: Math.round(uptimeSeconds * 1000) / 1000,
    ...{ cpuUserMs: cpu.user / 1000, cpuSystemMs: cpu.system / 1000 },
    ...{ memoryBytes: rss, memoryLimitBytes, heapUsedBytes: heapUsed },
    heapLimitBytes: getHeapStatistics().heap_size_limit,
  };
}

async function diskOf(path: string) {
  try {
    const { bsize, blocks, bavail } = await statfs(path);
    return { path, sizeBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch {
    return null;
  }
}
