import { setTimeout as sleep } from 'node:timers/promises';
import { NotYetWriterError, SupersededError } from '../errors.ts';
import type { Address } from '../model.ts';
import type { Answer } from '../probing/ask.ts';
import type { Beat } from '../probing/ask-writer.ts';
import type { Operation } from '../record.ts';
import type { FailoverStore } from '../store.ts';

export interface ConfirmDependencies {
  /** Has an instance take a write of an epoch and give it back, in bounded time. */
  readonly beat: (
    at: Address,
    epoch: number,
    timeoutMs: number,
  ) => Promise<Pick<Answer<Beat>, 'value' | 'reason'>>;
  readonly store: Pick<FailoverStore, 'move'>;
  readonly now: () => number;
}

/** How long one look at the new writer may take, and the pause between two, in milliseconds. */
const lookMs = 2_000;
const firstPauseMs = 40;
const maximumPauseMs = 500;

/**
 * Proves that the new writer is one, by a write of the new epoch that is read back, and then moves the shard map: in this
 * order, so that the platform is never sent to what takes no writes.
 *
 * @param deadline milliseconds since the epoch.
 * @throws NotYetWriterError when it was none until then; SupersededError when the shard has moved on otherwise.
 */
export async function confirm(
  { beat, now, store }: ConfirmDependencies,
  shard: string,
  operation: Operation,
  promotedAt: string | undefined,
  deadline: number,
): Promise<{ firstWriteAt: string }> {
  const { target, toEpoch, fromEpoch, writer } = operation;
  let found: string | undefined;
  for (let pauseMs = firstPauseMs; now() < deadline; pauseMs = Math.min(maximumPauseMs, pauseMs * 2)) {
    const bound = Math.min(lookMs, Math.max(1, deadline - now()));
    const { value, reason } = await beat(target, toEpoch, bound);
    if (value !== undefined) {
      const firstWriteAt = new Date(value.at).toISOString();
      const promotion = {
        epoch: toEpoch,
        instance: target.instance,
        promotedAt: promotedAt ?? firstWriteAt,
        firstWriteAt,
      };
      if (await store.move(shard, { from: fromEpoch, writer, promotion })) return { firstWriteAt };
      throw new SupersededError(`${shard} has left epoch ${fromEpoch} in another way.`);
    }
    found = reason;
    await sleep(pauseMs);
  }
  throw new NotYetWriterError(
    `${target.instance} does not take writes: ${found ?? 'it was not asked in time'}.`,
  );
}
