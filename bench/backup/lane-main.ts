import { once } from 'node:events';
import { beginReading, prepareSession, rollback } from '../../functions/recovery/snapshot/session.ts';
import { ownPeakBytes } from '../measure/own-process.ts';
import { openConnection } from './connection.ts';
import { jobSchema, type LaneResult } from './job.ts';

/** One lane of a candidate of ours, as one environment of the chunk function is: connected before the clock starts. */
const job = jobSchema.parse((await once(process, 'message'))[0]);
// A lane that only reads does not load what storing takes.
const { work } = job.mode === 'copy' ? await import('./bare-copy.ts') : await import('./store-items.ts');
const client = await openConnection(job.connection);
await prepareSession(client);
await beginReading(client);
process.send?.({ ready: true });
await once(process, 'message');

const cpu = process.cpuUsage();
const counts = await work(client, job);
const { user, system } = process.cpuUsage(cpu);
const result: LaneResult = {
  ...counts,
  cpuSeconds: (user + system) / 1e6,
  peakRssBytes: ownPeakBytes(),
};
process.send?.(result);
await rollback(client);
await client.end();
