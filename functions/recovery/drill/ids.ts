import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type RestoreId, restoreIdSchema } from '../ids.ts';

/**
 * Names a drill, and what it has run for it: the restore and, where there is one, the verification have the same id. It
 * is the name of the drill's Step Functions execution, or (see `drillIdOf`) made of it.
 */
export const drillIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9]{1,40}$/, 'has 1 to 40 letters and digits')
  .brand<'DrillId'>()
  .meta({ title: 'Drill id', examples: ['01K9Z6D4X8G2C0E5J7K9N3P6QR'] });
export type DrillId = z.output<typeof drillIdSchema>;

/** The drill that an execution works on. A schedule gives its executions names that are no ids. */
export function drillIdOf(executionName: string): DrillId {
  const own = drillIdSchema.safeParse(executionName);
  if (own.success) return own.data;
  return drillIdSchema.parse(createHash('sha256').update(executionName).digest('hex').slice(0, 26));
}

/** The restore that a drill has run. */
export const restoreOf = (id: DrillId): RestoreId => restoreIdSchema.parse(id);

/** The scratch database of a drill, in each cluster. */
export const scratchName = (id: DrillId): string => `mainstay_drill_${id.toLowerCase()}`;
