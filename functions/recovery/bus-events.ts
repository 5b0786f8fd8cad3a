import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { backupIdSchema, restoreIdSchema, shardNameSchema } from './ids.ts';
import { failureSchema } from './model.ts';

/** The `source` of Mainstay's events on the platform's bus. */
export const eventSource = 'mainstay.recovery';

const common = {
  version: z.literal(1).meta({ description: 'Changes when a field changes its meaning or is removed.' }),
  backupId: backupIdSchema,
  shards: z.array(shardNameSchema),
  at: z.iso.datetime(),
  traceparent: traceparentSchema,
};
const count = z.number().int().min(0);

/** What the capability tells the platform, by `detail-type`; each schema describes the `detail`. */
export const busEvents = {
  'backup.completed': z.strictObject({
    ...common,
    durationMs: count,
    storedBytes: count,
    rows: count,
    manifestKey: z.string(),
  }),
  'backup.failed': z.strictObject({ ...common, error: failureSchema }),
  'backup.canceled': z.strictObject(common),
  'backup.deleted': z.strictObject(common),
  'restore.completed': z.strictObject({
    ...common,
    restoreId: restoreIdSchema,
    mode: z.enum(['new', 'replace']),
    databases: z.array(z.string()),
    durationMs: count,
    rows: count,
  }),
  'restore.failed': z.strictObject({ ...common, restoreId: restoreIdSchema, error: failureSchema }),
  'restore.canceled': z.strictObject({ ...common, restoreId: restoreIdSchema }),
};
export type BusEventName = keyof typeof busEvents;
export type BusEvent<N extends BusEventName> = z.output<(typeof busEvents)[N]>;
