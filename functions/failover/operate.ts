import type * as z from 'zod';
import { databaseUsers } from '../../lib/constants.ts';
import { dynamo } from '../shared/clients.ts';
import { connect } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { failoverContract } from './contract.ts';
import { type ConfirmDependencies, confirm } from './phases/confirm.ts';
import type { operateResultSchema } from './phases/events.ts';
import { examine } from './phases/examine.ts';
import { fence, fenceAddress } from './phases/fence.ts';
import { promote } from './phases/promote.ts';
import { requireCurrent } from './phases/require-current.ts';
import { asker } from './probing/ask.ts';
import { askWriter } from './probing/ask-writer.ts';
import { FailoverStore } from './store.ts';

/** Kept back to end in order when an invocation's time is up, in milliseconds. */
const endMs = 5_000;
/** How long a writer beside the shard's own may take to be fenced, in milliseconds. */
const otherMs = 5_000;
/** The same for one that was replaced and is waited for. */
const oldMs = 2_000;

/**
 * What failovers do inside the network. One function for all of it: whoever re-checks has warmed the environment that
 * promotes.
 */
export const handler = eventFunction({
  contract: failoverContract.functions.operate,
  handler: ({ SHARDS_TABLE }) => {
    const store = new FailoverStore(dynamo(), SHARDS_TABLE);
    const now = Date.now;
    const ask = (timeoutMs: number) => asker(connect, databaseUsers.failover, timeoutMs);
    return async (event, { log, remainingMs }): Promise<z.input<typeof operateResultSchema>> => {
      const deps = { ask, now, log, store };
      switch (event.phase) {
        case 'examine': {
          const { shard: name, database, epoch, writer, instances, timeoutMs } = event;
          const target = { name, database, epoch, writer };
          return examine(target, instances, { ask: ask(timeoutMs), timeoutMs, now });
        }
        case 'fence': {
          await requireCurrent(store, event.shard, event.operation);
          const result = await fence(deps, event.operation);
          log.info('Fenced', { operation: event.operation.name, ...result });
          return result;
        }
        case 'promote': {
          await requireCurrent(store, event.shard, event.operation);
          const result = await promote(deps, event.operation);
          log.info('Promoted', { operation: event.operation.name, target: event.operation.target.instance });
          return result;
        }
        case 'confirm': {
          await requireCurrent(store, event.shard, event.operation);
          const { shard, operation, promotedAt } = event;
          const deadline = now() + Math.max(0, remainingMs() - endMs);
          const beat: ConfirmDependencies['beat'] = ({ host, port }, of, timeoutMs) =>
            ask(timeoutMs)({ host, port }, operation.database, (client, enter) =>
              askWriter(client, enter, { name: shard, epoch: of }, now),
            );
          const result = await confirm({ beat, store, now }, shard, operation, promotedAt, deadline);
          log.info('The shard map has moved', { operation: operation.name, ...result });
          return result;
        }
        case 'fence-old': {
          const { from, toEpoch, database } = event.operation;
          const routed = await store.shard(event.shard);
          // It may have become the writer again: then it is no old one.
          const again = routed?.writer.host === from.host && routed.writer.port === from.port;
          if (routed?.epoch !== toEpoch || again) return { fenced: 'superseded', ended: 0 };
          return fenceAddress(deps, from, database, { timeoutMs: oldMs, readOnly: true });
        }
        case 'fence-other': {
          const { instance, database } = event;
          const result = await fenceAddress(deps, instance, database, { timeoutMs: otherMs, readOnly: true });
          log.warn('A second writer was fenced', { shard: event.shard, instance: instance.id, ...result });
          return result;
        }
        default:
          return event satisfies never;
      }
    };
  },
});
