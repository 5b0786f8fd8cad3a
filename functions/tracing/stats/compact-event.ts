import * as z from 'zod';

/** What the schedule sends; it says nothing. */
export const compactEventSchema = z.object({});
