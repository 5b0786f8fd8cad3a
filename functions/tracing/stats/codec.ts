import * as z from 'zod';
import { QuantileSketch } from '../../shared/sketches/quantile.ts';
import { Aggregate } from './aggregate.ts';
import type { Groups } from './groups.ts';

const tallySchema = z.tuple([z.array(z.string()), z.int(), z.int(), z.string()]);
const aggregateSchema = z.object({
  operations: z.array(tallySchema),
  calls: z.array(tallySchema),
  callers: z.array(z.tuple([z.string(), z.int(), z.string()])),
  callees: z.array(
    z.tuple([z.string(), z.int(), z.string(), z.number(), z.union([z.literal(0), z.literal(1)])]),
  ),
});
type Serialized = z.output<typeof aggregateSchema>;

/** An aggregate as it is stored: JSON, with sketches in base64. Equal aggregates give equal texts. */
export function textOfAggregate({ operations, calls, callers, callees }: Aggregate): string {
  const byId = ([one]: [string, ...unknown[]], [other]: [string, ...unknown[]]) => (one < other ? -1 : 1);
  const serialized: Serialized = {
    operations: tallies(operations),
    calls: tallies(calls),
    callers: [...callers]
      .map(([id, { slot, from }]): [string, number, string] => [id, slot, from])
      .sort(byId),
    callees: [...callees]
      .map(([id, { slot, to, durationMs, error }]): Serialized['callees'][number] => [
        ...([id, slot, to, durationMs] as const),
        error ? 1 : 0,
      ])
      .sort(byId),
  };
  return JSON.stringify(serialized);
}

/**
 * Reads what `textOfAggregate` has written.
 *
 * @throws Error when it is none.
 */
export function aggregateOfText(text: string): Aggregate {
  const serialized = aggregateSchema.parse(JSON.parse(text));
  const aggregate = new Aggregate();
  restore(aggregate.operations, serialized.operations);
  restore(aggregate.calls, serialized.calls);
  for (const [id, slot, from] of serialized.callers) aggregate.callers.set(id, { slot, from });
  for (const [id, slot, to, durationMs, error] of serialized.callees) {
    aggregate.callees.set(id, { slot, to, durationMs, error: error === 1 });
  }
  return aggregate;
}

function tallies(groups: Groups): Serialized['operations'] {
  return groups.entries().map(([names, { count, errors, durations }]): Serialized['operations'][number] => {
    const sketch = Buffer.from(durations.toBytes()).toString('base64');
    return [[...names], count, errors, sketch];
  });
}

function restore(groups: Groups, serialized: Serialized['operations']): void {
  for (const [names, count, errors, sketch] of serialized) {
    groups.merge(names, {
      count,
      errors,
      durations: QuantileSketch.fromBytes(Buffer.from(sketch, 'base64')),
    });
  }
}
