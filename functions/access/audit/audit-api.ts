import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { invalidRequest } from '../../shared/http-request.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { AuditReader } from './audit-reader.ts';
import { auditRoutes } from './contract.ts';
import { dayMs } from './days.ts';
import { exportDay } from './export-day.ts';
import { daySchema, laneSchema } from './model.ts';
import { SealStore } from './seals.ts';

const exportBytes = 4_000_000;
const maximumSpanDays = 366;
const shownSealDays = 7;

/** A place in the index of times: an entry, or the beginning of a day. */
const listPosition = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}\.\d{3}Z#[0-9A-Z]{26})?$/)
  .refine((position) => daySchema.safeParse(position.slice(0, 10)).success);
const exportPosition = z.strictObject({
  day: daySchema,
  lane: laneSchema,
  after: z.string().min(1).max(1_024).optional(),
});

export interface AuditApiDependencies {
  readonly client: DynamoDBDocumentClient;
  /** Of the audit trail: `Query`. */
  readonly table: string;
  readonly now: () => number;
}

/** The routes of the audit trail. */
export function auditHandlers({
  client,
  table,
  now,
}: AuditApiDependencies): RouteHandlers<typeof auditRoutes> {
  const reader = new AuditReader(client, table, now);
  const seals = new SealStore(client, table);

  return {
    listAuditEntries: async ({ query }) => {
      const { actor, tenantId, action, outcome, limit, nextToken } = query;
      const before = decodeToken('audit', listPosition, nextToken);
      const { entries, next } = await reader.list({
        ...spanOf(query, now()),
        ...{ keyId: actor, tenant: tenantId, action, outcome, limit, before },
      });
      return {
        status: 200,
        body: { entries: [...entries], nextToken: next === undefined ? null : encodeToken('audit', next) },
      };
    },

    exportAudit: async ({ query: { day, nextToken } }) => {
      const position = decodeToken('audit-export', exportPosition, nextToken);
      const start = position?.day === day ? position : { lane: 0 };
      const { text, next } = await exportDay(reader, day, start, exportBytes);
      if (next === undefined) return { status: 200, body: text };
      const token = encodeToken('audit-export', { day, ...next });
      const link = `<${auditRoutes.exportAudit.path}?day=${day}&nextToken=${token}>; rel="next"`;
      return { status: 200, headers: { link }, body: text };
    },

    getAuditVerification: async () => {
      const [last = null, latest] = await Promise.all([
        seals.lastVerification(),
        seals.latest(shownSealDays),
      ]);
      return { status: 200, body: { last, seals: [...latest] } };
    },
  };
}

function spanOf(query: { from?: string | undefined; to?: string | undefined }, now: number) {
  const to = query.to === undefined ? now : Date.parse(query.to);
  const from = query.from === undefined ? to - dayMs : Date.parse(query.from);
  if (from >= to) throw invalidRequest([{ field: 'query.from', message: 'is not before `to`' }]);
  if (to - from > maximumSpanDays * dayMs) {
    throw invalidRequest([
      { field: 'query.from', message: `is more than ${maximumSpanDays} days before \`to\`` },
    ]);
  }
  return { from, to };
}
