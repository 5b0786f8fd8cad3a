import { eventFunction } from '../shared/event-function.ts';
import { assistWorkers } from './chunks/assist.ts';
import { isAtWork, shardParts, storePlace } from './compose.ts';
import { recoveryContract } from './contract.ts';
import { holdSnapshot } from './snapshot/hold.ts';

/** One turn of a lane that keeps a shard's snapshot alive. */
export const handler = eventFunction({
  contract: recoveryContract.functions['hold-snapshot'],
  handler: (environment) => {
    const place = storePlace(environment);
    return async (event, { log, remainingMs, requestId }) => {
      const { instance } = event.shard;
      const parts = shardParts(environment.RECOVERY_TABLE, event);
      const { catalog, backupId, connect } = parts;
      const address = { host: instance.host, port: instance.port };
      const result = await holdSnapshot({
        ...parts,
        address,
        connect: () => connect(address),
        isNeeded: () => isAtWork(catalog, backupId),
        assist: (client, origin) => assistWorkers({ ...parts, place, log }, client, origin),
        holder: requestId,
        remainingMs,
        termMs: environment.HOLD_TERM_SECONDS * 1000,
      });
      log.info('The lane’s turn ended', { backupId, shard: event.shard.name, lane: event.lane, ...result });
      return result;
    };
  },
});
