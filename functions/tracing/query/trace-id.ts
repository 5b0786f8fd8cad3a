import * as z from 'zod';

/** A trace id as callers write it: up to 32 hex digits, of which leading zeroes may be left out. */
export const traceIdParam = z
  .string()
  .regex(/^[0-9a-fA-F]{1,32}$/, 'is not a trace id: up to 32 hex digits')
  .transform((text) => text.toLowerCase().padStart(32, '0'));
