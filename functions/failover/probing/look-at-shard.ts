import type { Shard } from '../../shared/shards.ts';
import type { DatabaseInstance } from '../model.ts';
import type { Answer, Ask } from './ask.ts';
import { askInstance, type InstanceFound } from './ask-instance.ts';
import { type Beat, lookAtWriter } from './ask-writer.ts';

/** All that one look at a shard found, before anything is made of it. */
export interface Findings {
  /** Where the shard map leads. */
  readonly writer: Answer<Beat>;
  /** Each known instance by itself. */
  readonly instances: readonly {
    readonly instance: DatabaseInstance;
    readonly answer: Answer<InstanceFound>;
  }[];
}

/** What part of its own time a reader waits for the writer, before it is asked without. */
const patience = 0.8;

/**
 * Asks the writer and each known instance of a shard at the same time, so that one that hangs costs no more than the bound
 * that `ask` has.
 */
export async function lookAtShard(
  shard: Pick<Shard, 'name' | 'epoch' | 'writer' | 'database'>,
  instances: readonly DatabaseInstance[],
  { ask, timeoutMs, now }: { ask: Ask; timeoutMs: number; now: () => number },
): Promise<Findings> {
  const writer = ask(shard.writer, shard.database, (client, enter) =>
    lookAtWriter(client, enter, shard, now),
  );
  const beat = inTime(
    writer.then(({ value }) => value),
    timeoutMs * patience,
  );
  const asked = instances.map(async (instance) => ({
    instance,
    answer: await ask({ host: instance.host, port: instance.port }, shard.database, (client, enter) =>
      askInstance(client, enter, () => beat, now),
    ),
  }));
  return { writer: await writer, instances: await Promise.all(asked) };
}

/** What `work` comes to; undefined when that takes too long. */
function inTime<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    void work.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
