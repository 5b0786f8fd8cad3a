import * as z from 'zod';

/** The CDN: what stands behind `/api/cdn`. */
export const cdnSchema = z.strictObject({});

/** The settings of the CDN. */
export type CdnConfig = z.output<typeof cdnSchema>;
