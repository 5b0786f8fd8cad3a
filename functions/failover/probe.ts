import { setTimeout as sleep } from 'node:timers/promises';
import { databaseUsers } from '../../lib/constants.ts';
import { dynamo } from '../shared/clients.ts';
import { connect } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { logger } from '../shared/instrumentation.ts';
import { ShardReader } from '../shared/shards.ts';
import { failoverContract } from './contract.ts';
import { asker } from './probing/ask.ts';
import type { ProbeResult } from './probing/events.ts';
import { probeMetrics } from './probing/probe-metrics.ts';
import { ProbeRounds } from './probing/probe-rounds.ts';
import { ProbeStore } from './probing/probe-store.ts';
import { type Clock, runSlots, slotsOf } from './probing/slots.ts';

const clock: Clock = {
  now: Date.now,
  until: async (time) => {
    // A timer may fire a little early.
    for (let left = time - Date.now(); left > 0; left = time - Date.now()) await sleep(left);
  },
};

/** Probes all shards in the slots of the minute that it is invoked in. */
export const handler = eventFunction({
  contract: failoverContract.functions.probe,
  handler: ({ SHARDS_TABLE, PROBE_INTERVAL_SECONDS, PROBE_TIMEOUT_MS }) => {
    const rounds = new ProbeRounds({
      // Read anew each time: after a failover, the next probe has to go to the new writer.
      shards: () => new ShardReader(dynamo(), SHARDS_TABLE).list(),
      store: new ProbeStore(dynamo(), SHARDS_TABLE),
      ask: asker(connect, databaseUsers.probe, PROBE_TIMEOUT_MS),
      timeoutMs: PROBE_TIMEOUT_MS,
      metrics: probeMetrics,
      log: logger,
      now: Date.now,
    });
    return async (): Promise<ProbeResult> => {
      const slots = slotsOf(clock.now(), PROBE_INTERVAL_SECONDS);
      await runSlots(slots, clock, () => rounds.run());
      return { rounds: slots.due.length, missed: slots.missed };
    };
  },
});
