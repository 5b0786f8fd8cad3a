import * as z from 'zod';
import type { FunctionContract, RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { tenantIdSchema } from '../tenants/tenant.ts';
import { auditEntrySchema, auditVerificationSchema, daySchema, outcomeSchema, sealSchema } from './model.ts';

const time = z.iso.datetime({ offset: true });
const readTimes = (what: string) => ({
  description: `${what} RFC 3339.`,
  examples: ['2026-11-21T10:00:00Z'],
});

/** The routes of the audit trail. */
export const auditRoutes = {
  listAuditEntries: {
    method: 'GET',
    path: '/api/access/audit',
    scope: 'admin',
    summary: 'Who did what, newest first',
    description:
      'Every change and every refused credential. With filters over a long time, a page may hold fewer entries than `limit`, or none, and still have a `nextToken`. An entry is listed within about a second.',
    query: z.strictObject({
      ...pageQuery,
      from: time.optional().meta(readTimes('The first moment. Default: 24 hours before `to`.')),
      to: time.optional().meta(readTimes('The first moment that is not included. Default: now.')),
      actor: z.string().min(1).max(64).optional().meta({ description: 'Only of the API key of this id.' }),
      tenantId: tenantIdSchema.optional().meta({ description: 'Only of keys of this tenant.' }),
      action: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .meta({ description: 'Only actions that begin so.', examples: ['POST /api/access/'] }),
      outcome: outcomeSchema.optional(),
    }),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({ entries: z.array(auditEntrySchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of the audit trail' }),
      },
    },
  },
  exportAudit: {
    method: 'GET',
    path: '/api/access/audit/export',
    scope: 'admin',
    summary: 'One day of the audit trail, to keep and to verify',
    description:
      'One entry in canonical JSON (RFC 8785) per line, chain by chain, with what verifies them without Mainstay.',
    query: z.strictObject({
      day: daySchema.meta({ description: 'In UTC; today as far as it has come.' }),
      nextToken: pageQuery.nextToken,
    }),
    responses: {
      200: {
        description: 'At most 4 MB of it.',
        contentType: 'application/x-ndjson',
        headers: { Link: 'Where the rest is, as `rel="next"`; absent when this is all.' },
      },
    },
  },
  getAuditVerification: {
    method: 'GET',
    path: '/api/access/audit/verification',
    scope: 'admin',
    summary: 'Whether the audit trail is as it was written',
    description: 'What the last verification has found, and the seals of the last seven days, newest first.',
    responses: {
      200: {
        description: 'The verification; null before the first.',
        schema: z
          .strictObject({ last: auditVerificationSchema.nullable(), seals: z.array(sealSchema) })
          .meta({ title: 'State of the audit trail' }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;

/** The functions of the audit trail. */
export const auditFunctions = {
  /**
   * Daily, some hours after midnight UTC, with `{}`; outside the VPC, with the longest timeout there is (900 s). On AUDIT_TABLE
   * `Query` and `PutItem`; `kms:GenerateMac`, `kms:VerifyMac`.
   */
  'verify-audit': {
    environment: z.object({
      AUDIT_TABLE: z.string().min(1).describe('Table of the audit trail.'),
      AUDIT_DAYS: z.coerce.number().int().min(1).describe('How long an entry is kept, in days.'),
      HMAC_KEY_ARN: z.string().startsWith('arn:').describe('KMS HMAC key that seals chains.'),
    }),
    event: z.looseObject({}),
    result: auditVerificationSchema,
  },
} as const satisfies Record<string, FunctionContract>;
