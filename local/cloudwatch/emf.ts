import * as z from 'zod';
import type { MetricDatum } from './metric.ts';

const emfSchema = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string().min(1),
        Dimensions: z.array(z.array(z.string()).max(30)),
        Metrics: z
          .array(
            z.object({
              Name: z.string().min(1),
              Unit: z.string().optional(),
              StorageResolution: z.union([z.literal(1), z.literal(60)]).optional(),
            }),
          )
          .max(100),
      }),
    ),
  }),
});
const valuesSchema = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(1).max(100)]);

/**
 * The metrics in a log line, if it is one in CloudWatch's embedded metric format. What does not fit
 * the format is left out, as on AWS.
 */
export function parseEmf(line: string): MetricDatum[] {
  if (!line.includes('"_aws"')) return [];
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return [];
  }
  const parsed = emfSchema.safeParse(json);
  if (!parsed.success) return [];
  const { _aws: directive, ...members } = parsed.data;
  return directive.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const dimensions = dimensionsOf(names, members);
      if (dimensions === undefined) return [];
      return Metrics.flatMap(({ Name, Unit, StorageResolution }): MetricDatum[] => {
        const values = valuesSchema.safeParse(members[Name]);
        if (!values.success) return [];
        return [
          {
            namespace: Namespace,
            name: Name,
            dimensions,
            values: values.data,
            timestamp: directive.Timestamp,
            ...(Unit === undefined ? {} : { unit: Unit }),
            ...(StorageResolution === 1 ? { highResolution: true } : {}),
          },
        ];
      });
    }),
  );
}

function dimensionsOf(
  names: readonly string[],
  members: Record<string, unknown>,
): Record<string, string> | undefined {
  const entries = names.map((name) => [name, members[name]] as const);
  const complete = entries.every(([, value]) => typeof value === 'string' || typeof value === 'number');
  return complete ? Object.fromEntries(entries.map(([name, value]) => [name, String(value)])) : undefined;
}
