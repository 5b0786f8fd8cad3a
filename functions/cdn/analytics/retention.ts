import * as z from 'zod';
import { day, dayOf } from './intervals.ts';

/** How long traffic is kept, in days: by the hour, and by the day. */
export const retentionSchema = z.strictObject({ hourlyDays: z.int().min(3), dailyDays: z.int().min(3) });
export type Retention = z.output<typeof retentionSchema>;

/** How long before they expire hours take no more: whatever a day is put together of has to be there still. */
const marginDays = 2;

/** Requests from then on are counted. In Unix seconds. */
export function oldestCounted({ hourlyDays }: Retention, now: Date): number {
  return dayOf(now.getTime() / 1000) - (hourlyDays - marginDays) * day;
}

/** When an interval or a day of so long ago expires. In Unix seconds. */
export const intervalExpiry = ({ hourlyDays }: Retention, start: number): number =>
  dayOf(start) + (hourlyDays + 1) * day;
export const dayExpiry = ({ dailyDays }: Retention, start: number): number =>
  dayOf(start) + (dailyDays + 1) * day;
