import * as z from 'zod';

/** S3’s report of a new object, as EventBridge brings it. */
export const logArrivedEventSchema = z.looseObject({
  'detail-type': z.literal('Object Created'),
  time: z.iso.datetime(),
  detail: z.looseObject({
    bucket: z.looseObject({ name: z.string() }),
    object: z.looseObject({ key: z.string() }),
  }),
});
export const logArrivedResultSchema = z.strictObject({
  id: z.string(),
  added: z.boolean(),
  lines: z.int(),
  badLines: z.int(),
});

/** Of the schedule. */
export const foldEventSchema = z.strictObject({});
export const foldResultSchema = z.strictObject({
  logs: z.int(),
  intervals: z.int(),
  days: z.int(),
  left: z.boolean(),
});
