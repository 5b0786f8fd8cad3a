import { once } from 'node:events';
import { ownPeakBytes } from '../measure/own-process.ts';
import { type RestoreJob, type RestoreLaneResult, restoreJobSchema } from './job.ts';

/** One lane of a candidate of ours, as one environment of a function is: its modules are loaded before the clock starts. */
async function prepare(job: RestoreJob): Promise<() => Promise<RestoreLaneResult['compared'] | undefined>> {
  if (job.mode === 'copy' || job.mode === 'statements') {
    const { copyIn, runStatements } = await import('./bare-restore.ts');
    return async () => {
      await (job.mode === 'copy' ? copyIn(job) : runStatements(job));
      return undefined;
    };
  }
  const { compare, finish, load } = await import('./engine.ts');
  if (job.mode === 'compare') return () => compare(job);
  return async () => {
    await (job.mode === 'load' ? load(job) : finish(job));
    return undefined;
  };
}

const work = await prepare(restoreJobSchema.parse((await once(process, 'message'))[0]));
process.send?.({ ready: true });
await once(process, 'message');

const cpu = process.cpuUsage();
const compared = await work();
const { user, system } = process.cpuUsage(cpu);
const result: RestoreLaneResult = {
  cpuSeconds: (user + system) / 1e6,
  peakRssBytes: ownPeakBytes(),
  compared: compared ?? [],
};
process.send?.(result);
