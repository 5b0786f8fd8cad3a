import { eventFunction } from '../shared/event-function.ts';
import { describeShard } from './chunks/describe-shard.ts';
import { isAtWork, shardParts, storePlace } from './compose.ts';
import { recoveryContract } from './contract.ts';
import { Bucket } from './objects/bucket.ts';
import { shardDescriptionKey } from './objects/object-keys.ts';
import { leave } from './objects/work-objects.ts';
import { assistOthers } from './snapshot/assist.ts';
import { holdSnapshot } from './snapshot/hold.ts';
import { schemaOf } from './tenants/model.ts';

/** One turn of a lane that keeps a shard's snapshot alive. */
export const handler = eventFunction({
  contract: recoveryContract.functions['hold-snapshot'],
  handler: (environment) => {
    const place = storePlace(environment);
    const bucket = new Bucket(place.s3, place.bucket);
    return async (event, { log, remainingMs, requestId }) => {
      const { instance } = event.shard;
      const parts = shardParts(environment.RECOVERY_TABLE, event);
      const { catalog, backupId, connect } = parts;
      const address = { host: instance.host, port: instance.port };
      const result = await holdSnapshot({
        ...parts,
        address,
        connect: () => connect(address),
        schema: schemaOf(event.shard.tenant),
        describe: async (client) => {
          const selection = (await catalog.get(backupId))?.selection;
          const description = await describeShard(client, selection);
          return leave(bucket, shardDescriptionKey(backupId, event.shard.name), description);
        },
        isNeeded: () => isAtWork(catalog, backupId),
        onTrouble: (error) => log.warn('The snapshot cannot be taken over yet', { error }),
        assist: (client, origin) =>
          assistOthers({ ...parts, place, log, tenant: event.shard.tenant }, client, origin),
        holder: requestId,
        remainingMs,
        termMs: environment.HOLD_TERM_SECONDS * 1000,
      });
      log.info('The lane’s turn ended', { backupId, shard: event.shard.name, lane: event.lane, ...result });
      return result;
    };
  },
});
