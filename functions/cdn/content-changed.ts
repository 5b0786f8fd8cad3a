import { dynamo, stepFunctions } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { cdnContract } from './contract.ts';
import { providerOf } from './parts.ts';
import { contentChanged } from './purge/content-changed.ts';
import { PurgeStore } from './purge/store.ts';
import { executionStarter } from './start-execution.ts';

/** Has the edge forget what has changed in the assets bucket. */
export const handler = eventFunction({
  contract: cdnContract.functions['content-changed'],
  handler: ({ CDN_TABLE, CDN_PROVIDER, PURGE_STATE_MACHINE_ARN }) => {
    const provider = providerOf(CDN_PROVIDER)?.provider;
    const store = new PurgeStore(dynamo(), CDN_TABLE);
    const startPurge = executionStarter(stepFunctions(), PURGE_STATE_MACHINE_ARN);
    return async ({ detail }, { trace }) =>
      contentChanged({ store, provider, startPurge, now: Date.now }, detail.object.key, trace.traceparent);
  },
});
