import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { drillIdSchema } from './drill/ids.ts';
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
const restored = {
  ...common,
  /** `null`: restored to a point in time. */
  backupId: backupIdSchema.nullable(),
  restoreId: restoreIdSchema,
};

const drill = {
  ...common,
  /** `null`: none could be chosen. */
  backupId: backupIdSchema.nullable(),
  drillId: drillIdSchema,
  rpoMs: count.nullable(),
  rtoMs: count.nullable(),
  reportKey: z.string().nullable(),
};

/** What the capability tells the platform, by `detail-type`; each schema describes the `detail`. */
export const busEvents = {
  'backup.completed': z.strictObject({
    ...common,
    durationMs: count,
    storedBytes: count,
    rows: count,
    manifestKey: z.string(),
    tenant: z
      .string()
      .optional()
      .meta({ description: 'The one tenant that it is of; absent: the platform.' }),
  }),
  'backup.failed': z.strictObject({ ...common, error: failureSchema }),
  'backup.canceled': z.strictObject(common),
  'backup.expired': z.strictObject(common).meta({
    description: 'It is kept no longer; what newer backups refer to stays until they are gone.',
  }),
  'backup.deleted': z.strictObject(common),
  'restore.completed': z.strictObject({
    ...restored,
    mode: z.enum(['new', 'replace']),
    databases: z.array(z.string()),
    durationMs: count,
    rows: count,
    /** Of a restore to a point in time: the new clusters. */
    clusters: z.array(z.string()).optional(),
  }),
  'restore.failed': z.strictObject({ ...restored, error: failureSchema }),
  'restore.canceled': z.strictObject(restored),
  'drill.completed': z.strictObject(drill),
  'drill.failed': z.strictObject({ ...drill, error: failureSchema }),
};
export type BusEventName = keyof typeof busEvents;
export type BusEvent<N extends BusEventName> = z.output<(typeof busEvents)[N]>;
