import { msOfNano, type TraceSpan } from '../model.ts';
import type { Item } from '../store/items.ts';
import { expiryOf, hashOf, hourMs, hourOf, shards, textOfHour } from '../store/keys.ts';
import { packInPieces } from '../store/packed.ts';
import { Aggregate } from './aggregate.ts';
import { textOfAggregate } from './codec.ts';

/**
 * Statistics in the tracing table: one item for each hour that a request has spans of, made of those spans alone, so that the
 * same request makes the same item. From time to time the items of an hour are compacted into one that lists whose place it
 * takes: those count no more, removed or not, also when a request comes once more.
 *
 * | What | `pk` | `sk` | More |
 * |---|---|---|---|
 * | Statistics of one request | `STATS#<hour>#<shard>` | `REQUEST#<hash>` | `data` |
 * | Statistics of many | `STATS#<hour>#<shard>` | `COMPACT#<number>` | `data`, `covers` |
 *
 * `data` is one zstd frame of the aggregate’s JSON; `covers` are hashes, 8 bytes each.
 */
export const statsKey = (hour: number, shard: number) => `STATS#${textOfHour(hour)}#${shard}`;
export const requestPrefix = 'REQUEST#';
export const compactPrefix = 'COMPACT#';
/** Hex digits of a hash that names a request among those of its hour. */
export const hashDigits = 16;

/** The statistics of one request’s spans; the same spans always make the same items. */
export function statsItems(spans: readonly TraceSpan[], retentionDays: number): Item[] {
  const byHour = Map.groupBy(spans, ({ span }) => hourOf(msOfNano(span.startTimeUnixNano)));
  return [...byHour].flatMap(([hour, ofHour]) =>
    packInPieces(ofHour, (piece) => textOfAggregate(Aggregate.of(piece))).map(([{ data }, piece]): Item => {
      // By the spans and not by what is counted: two requests may well count the same.
      const hash = hashOf(
        piece
          .map(({ span }) => span.traceId + span.spanId)
          .sort()
          .join(),
      );
      const shard = Number.parseInt(hash.slice(0, 4), 16) % shards;
      return {
        ...{ pk: statsKey(hour, shard), sk: `${requestPrefix}${hash.slice(0, hashDigits)}`, data },
        expiresAt: expiryOf((hour + 1) * hourMs, retentionDays),
      };
    }),
  );
}
