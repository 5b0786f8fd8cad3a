import { once } from 'node:events';
import { quantile } from '../measure/statistics.ts';
import { jobSchema, type LaneResult } from './lane.ts';
import { contextOf, requestWith } from './request.ts';

/** One process that answers requests one after another, as an execution environment does. */
const [message] = await once(process, 'message');
const { mode, url, requests } = jobSchema.parse(message);
process.env.POWERTOOLS_SERVICE_NAME = 'bench';
process.env.POWERTOOLS_METRICS_NAMESPACE = 'bench';
// Lines of log and metrics are made, and dropped.
process.stdout.write = () => true;
const { handlerOf } = await import('./handlers.ts');
const { handler, key, questions, close } = await handlerOf(mode, url);
const event = requestWith(key);
// Until the code is compiled and the key is known.
for (let i = 0; i < 2_000; i++) await handler(event, contextOf());
process.send?.({ ready: true });
await once(process, 'message');

const times: number[] = [];
const asked = questions();
const cpu = process.cpuUsage();
for (let i = 0; i < requests; i++) {
  const context = contextOf();
  const started = performance.now();
  await handler(event, context);
  times.push(performance.now() - started);
}
const { user, system } = process.cpuUsage(cpu);
const result: LaneResult = {
  cpuUs: (user + system) / requests,
  p50Us: quantile(times, 0.5) * 1000,
  p99Us: quantile(times, 0.99) * 1000,
  questions: questions() - asked,
};
close();
process.send?.(result);
