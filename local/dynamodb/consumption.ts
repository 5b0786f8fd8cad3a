import * as z from 'zod';
import type { MetricDatum } from '../cloudwatch/metric.ts';
import type { DynaliteAction } from './dynalite-actions.ts';

const unitsSchema = z.object({ TableName: z.string(), CapacityUnits: z.number() });
const answerSchema = z.object({ ConsumedCapacity: z.union([unitsSchema, z.array(unitsSchema)]) });

const reads: ReadonlySet<string> = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan']);

/** Takes what an operation has used of the capacity of tables, of an answer that tells of it. */
export type Consumption = (name: DynaliteAction, answer: Record<string, unknown>) => void;

/** Records the capacity that operations use, as `AWS/DynamoDB` has it. */
export function consumption(record: ((datum: MetricDatum) => void) | undefined): Consumption {
  return (name, answer) => {
    const { data } = answerSchema.safeParse(answer);
    if (record === undefined || data === undefined) return;
    for (const { TableName, CapacityUnits } of [data.ConsumedCapacity].flat()) {
      record({
        ...{ namespace: 'AWS/DynamoDB', dimensions: { TableName }, values: [CapacityUnits], unit: 'Count' },
        name: reads.has(name) ? 'ConsumedReadCapacityUnits' : 'ConsumedWriteCapacityUnits',
        timestamp: Date.now(),
      });
    }
  };
}
