import * as z from 'zod';
import { ACCESS_POLICY } from './policy.ts';

/** What the shared stack needs in a function all of whose routes are open: it counts requests by address. */
export const openEnvironment = z.object({
  /** Table of rate limit counters (`GetItem`, `UpdateItem`). */
  LIMITS_TABLE: z.string().min(1),
  ACCESS_POLICY,
});

/** What the shared stack needs in every function with a route that is not open. */
export const gateEnvironment = openEnvironment.extend({
  /** Table of API keys and tenants (`GetItem`). */
  ACCESS_TABLE: z.string().min(1),
  /** Secret whose value keys the hashes of API keys. */
  KEY_PEPPER_SECRET_ARN: z.string().startsWith('arn:'),
  /** Table of answers that are kept for repeated requests. */
  IDEMPOTENCY_TABLE: z.string().min(1),
  /** Table of the audit trail (`Query`, `PutItem`: nothing in it is changed or removed). */
  AUDIT_TABLE: z.string().min(1),
  /** How long an entry of the audit trail is kept, in days. */
  AUDIT_DAYS: z.coerce.number().int().min(1),
});
