import * as z from 'zod';

const maxAssertions = 50;
/** All assertions travel in one event of a workflow, which may have 256 KB. */
const maxSqlCharacters = 2_000;

const expectationSchema = z.union([
  z.literal('no-rows').describe('The query finds nothing.'),
  z.literal('true').describe('The query gives one row, whose first column is true.'),
  z
    .strictObject({ value: z.union([z.string().max(200), z.number(), z.boolean()]) })
    .describe('The query gives one row, whose first column is that.'),
]);
export type Expectation = z.output<typeof expectationSchema>;

/** What an operator wants to be true of restored data, as a query. */
export const assertionSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$/, 'has at most 80 letters, digits, spaces, dots and hyphens')
    .describe('What it is called in reports.'),
  shard: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'not the name of a shard')
    .optional()
    .describe('Of which shard it has to hold. Default: of each.'),
  sql: z
    .string()
    .min(1)
    .max(maxSqlCharacters)
    .describe(
      'One SELECT, with qualified names: it is run with an empty search path, and can change nothing.',
    ),
  expect: expectationSchema.describe(
    'What it has to give: `no-rows`, `true`, or `{ "value": … }` for the first column of its only row.',
  ),
});
export type Assertion = z.output<typeof assertionSchema>;

export const assertionsSchema = z
  .array(assertionSchema)
  .max(maxAssertions)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two assertions have one name');

const maxShown = 200;

/**
 * Compares what a query gave with what it has to give.
 *
 * @param rows the first two at most; each with its columns as PostgreSQL's text, `null` for NULL.
 * @returns what is wrong, with no more of the data than the first value; nothing when it holds.
 */
export function unmet(
  expected: Expectation,
  rows: readonly (readonly (string | null)[])[],
): string | undefined {
  const first = rows[0]?.[0] ?? null;
  if (expected === 'no-rows') {
    return rows.length === 0 ? undefined : `Expected no rows; the first one begins with ${shown(first)}.`;
  }
  const wanted = expected === 'true' ? true : expected.value;
  if (rows.length !== 1) {
    return `Expected one row with ${wanted}; ${rows.length === 0 ? 'there is none' : 'there are more'}.`;
  }
  return equals(wanted, first) ? undefined : `Expected ${wanted}; it is ${shown(first)}.`;
}

function equals(wanted: string | number | boolean, found: string | null): boolean {
  if (found === null) return false;
  if (typeof wanted === 'boolean') return found === (wanted ? 't' : 'f');
  if (typeof wanted === 'string') return found === wanted;
  return found === String(wanted) || (/^-?[\d.]+(e[+-]?\d+)?$/i.test(found) && Number(found) === wanted);
}

function shown(value: string | null): string {
  if (value === null) return 'NULL';
  return `"${value.length > maxShown ? `${value.slice(0, maxShown)}…` : value}"`;
}
