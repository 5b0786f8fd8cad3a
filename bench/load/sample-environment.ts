import * as z from 'zod';
import { exampleOf } from './example-of.ts';

/** Values that the contracts' variables take; the first that fits is used, or else what their schema describes. */
const samples = [
  'bench',
  'bench-',
  'kms',
  // First of the ARNs: the Encryption SDK looks closer than the contract.
  'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000',
  'arn:aws:lambda:us-east-1:000000000000:function:bench',
  'arn:aws:states:us-east-1:000000000000:stateMachine:bench',
  'arn:aws:secretsmanager:us-east-1:000000000000:secret:bench',
  'https://bench.example',
  'zstd',
  '3',
  '600',
  '{}',
  '[]',
  'true',
  'null',
  '{"kind":"none"}',
];

/**
 * Makes up an environment that a contract accepts, so that a function's module loads.
 *
 * @throws naming a variable that takes none of the samples.
 */
export function sampleEnvironment(environment: z.ZodObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment.shape).map(([name, schema]) => {
      const value = [...samples, ...described(schema)].find((sample) => accepts(schema, sample));
      if (value === undefined) throw new Error(`No sample fits the variable ${name}.`);
      return [name, value];
    }),
  );
}

/** Structured variables are JSON. */
function described(schema: unknown): string[] {
  if (!isSchema(schema)) return [];
  const example = exampleOf(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }));
  return [typeof example === 'string' ? example : JSON.stringify(example)];
}

function accepts(schema: unknown, sample: string): boolean {
  return isSchema(schema) && schema.safeParse(sample).success;
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && 'safeParse' in value;
}
