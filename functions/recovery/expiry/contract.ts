import * as z from 'zod';
import type { FunctionContract } from '../../shared/contract.ts';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { maxDays } from '../automation/model.ts';
import { EVENT_BUS_NAME, RECOVERY_TABLE } from '../environment.ts';
import { backupIdSchema } from '../ids.ts';

/** How long a backup is kept and locked, where whoever asks for it decides. */
export const retentionFields = {
  keepDays: z.number().int().min(1).max(maxDays).nullable().optional().meta({
    description:
      'For how long it is kept, in days from its start; `null`: until it is deleted. Default: as the automation says; without one, until it is deleted.',
  }),
  lockDays: z.number().int().min(1).max(maxDays).optional().meta({
    description:
      'For how long Object Lock keeps it from being deleted, in days from its commit. Default: as the automation says.',
  }),
};

export const expiryFunctions = {
  /** Outside the VPC; hourly with `{}`. Touches the catalogue alone; what has expired is removed by `sweep`. */
  expire: {
    environment: z.object({ RECOVERY_TABLE, EVENT_BUS_NAME }),
    event: z.looseObject({ traceparent: traceparentSchema.optional() }),
    result: z.strictObject({
      expired: z.array(backupIdSchema),
      kept: z.number().int().min(0),
      refused: z.boolean(),
      remaining: z.boolean(),
    }),
  },
} as const satisfies Record<string, FunctionContract>;
