import { gate } from '../access/gate.ts';
import { dynamo, lambda } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { invoke } from '../shared/invoke.ts';
import { ShardReader } from '../shared/shards.ts';
import { failoverHandlers } from './api-handlers.ts';
import { failoverContract } from './contract.ts';
import { failoverResultSchema } from './events.ts';
import { ProbeStore } from './probing/probe-store.ts';
import { FailoverStore } from './store.ts';

/** The API of failover: it shows how the shards stand, and hands on what is asked. */
export const handler = httpFunction({
  contract: failoverContract,
  functionContract: failoverContract.functions.api,
  gate,
  handlers: ({
    SHARDS_TABLE,
    FAILOVER_POLICY,
    FAILOVER_FUNCTION_ARN,
  }): HttpHandlers<typeof failoverContract> =>
    failoverHandlers({
      policy: FAILOVER_POLICY,
      // What was just decided is to be seen.
      shards: () => new ShardReader(dynamo(), SHARDS_TABLE).list(),
      store: new FailoverStore(dynamo(), SHARDS_TABLE),
      probes: new ProbeStore(dynamo(), SHARDS_TABLE),
      command: (event) => invoke(lambda(), FAILOVER_FUNCTION_ARN, event, failoverResultSchema),
    }),
});
