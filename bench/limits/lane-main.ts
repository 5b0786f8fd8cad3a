import { once } from 'node:events';
import { quantile } from '../measure/statistics.ts';
import { limiterOf } from './candidates.ts';
import { jobSchema, type LaneResult } from './lane.ts';
import { clientOf } from './store.ts';

/** One process that decides about requests, one after another, as an execution environment does. */
const [message] = await once(process, 'message');
const { candidate, url, requests, decisions, key } = jobSchema.parse(message);
const client = clientOf(url);
let questions = 0;
client.middlewareStack.add(
  (next) => (input) => {
    questions++;
    return next(input);
  },
  { step: 'initialize' },
);
const decide = limiterOf(candidate, client, requests, key);
process.send?.({ ready: true });
await once(process, 'message');

const times: number[] = [];
let letIn = 0;
for (let i = 0; i < decisions; i++) {
  const started = performance.now();
  if (await decide()) letIn++;
  times.push(performance.now() - started);
}
const result: LaneResult = {
  letIn,
  questions,
  p50Us: quantile(times, 0.5) * 1000,
  p99Us: quantile(times, 0.99) * 1000,
};
client.destroy();
process.send?.(result);
