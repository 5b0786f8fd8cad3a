import type { Ask } from '../../failover/probing/ask.ts';
import type { Shard } from '../../shared/shards.ts';
import { countSlow, readCounters } from './count-slow.ts';
import type { CounterStore } from './counter-store.ts';

/**
 * How many slow statements a shard's writer has run since this was last asked, at least; undefined where that is not known: nobody
 * counts them, the writer does not answer, or it is the first time.
 *
 * @throws DependencyError
 */
export async function slowSinceLast(
  { name, writer, database }: Pick<Shard, 'name' | 'writer' | 'database'>,
  { ask, store, slowMs }: { ask: Ask; store: Pick<CounterStore, 'read' | 'put'>; slowMs: number },
): Promise<number | undefined> {
  const { value: now } = await ask(writer, database, (client, enter) => {
    enter('read');
    return readCounters(client, slowMs);
  });
  if (now === undefined) return undefined;
  const before = await store.read(name);
  await store.put(name, now);
  return countSlow(before, now, slowMs);
}
