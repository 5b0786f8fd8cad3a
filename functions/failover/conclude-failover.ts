import * as z from 'zod';
import { dynamo } from '../shared/clients.ts';
import { eventFunction, memberTraceparent } from '../shared/event-function.ts';
import { reportTraceparent } from '../shared/execution-trace.ts';
import { conclude } from './conclude.ts';
import type { ConcludeEvent } from './conclude-events.ts';
import { failoverContract } from './contract.ts';
import { countConcluded } from './failover-metrics.ts';
import { tellerOf } from './parts.ts';
import { FailoverStore } from './store.ts';
import { tellUntold } from './teller.ts';

const errorSchema = z.looseObject({ errorMessage: z.string() });
const inputSchema = z.looseObject({ shard: z.string() });

/** Ends an operation whose execution is over: at the end of the workflow, and by EventBridge where it did not get there. */
export const handler = eventFunction({
  contract: failoverContract.functions['conclude-failover'],
  traceparentOf: (event) => reportTraceparent(event) ?? memberTraceparent(event),
  handler: (environment) => {
    const store = new FailoverStore(dynamo(), environment.SHARDS_TABLE);
    const tellerWith = tellerOf(store, environment);
    return async (event, { log, metrics, trace }) => {
      const { shard, name, failure } = endOf(event);
      const moment = { now: Date.now(), traceparent: trace.traceparent };
      const concluded = await conclude(
        { store, policy: environment.FAILOVER_POLICY },
        shard,
        name,
        failure,
        moment,
      );
      const { outcome, record, last } = concluded;
      countConcluded(metrics, concluded);
      if (outcome !== 'nothing-to-do') log.info('Concluded', { shard, operation: name, outcome, last });
      if (record !== undefined) await tellUntold(tellerWith(log), record);
      return { outcome };
    };
  },
});

function endOf(event: ConcludeEvent): {
  shard: string;
  name: string;
  failure: { name: string; message: string } | undefined;
} {
  if ('detail' in event) {
    const { name, status, input, error, cause } = event.detail;
    const { shard } = inputSchema.parse(JSON.parse(input));
    return { shard, name, failure: { name: error ?? status, message: messageOf(cause ?? '') } };
  }
  const { shard, name } = event;
  if (!('error' in event)) return { shard, name, failure: undefined };
  const { Error: error, Cause: cause = '' } = event.error;
  return { shard, name, failure: { name: error, message: messageOf(cause) } };
}

/** The cause of a function's error is JSON, in which its message is. */
function messageOf(cause: string): string {
  try {
    return errorSchema.safeParse(JSON.parse(cause)).data?.errorMessage ?? cause;
  } catch {
    return cause;
  }
}
