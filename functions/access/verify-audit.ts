import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo, kms } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { AuditReader } from './audit/audit-reader.ts';
import { auditFunctions } from './audit/contract.ts';
import { SealMac } from './audit/seal-mac.ts';
import { SealStore } from './audit/seals.ts';
import { verifyTrail } from './audit/verify-trail.ts';

/** Verifies the audit trail and seals the chains of the days that are over. */
export const handler = eventFunction({
  contract: auditFunctions['verify-audit'],
  handler: ({ AUDIT_TABLE, AUDIT_DAYS, HMAC_KEY_ARN }) => {
    const now = Date.now;
    const reader = new AuditReader(dynamo(), AUDIT_TABLE, now);
    const seals = new SealStore(dynamo(), AUDIT_TABLE);
    const mac = new SealMac(kms(), HMAC_KEY_ARN);
    return async (_event, { log, metrics, remainingMs }) => {
      const result = await verifyTrail({
        ...{ reader, seals, mac, now, log, remainingMs },
        retentionDays: AUDIT_DAYS,
      });
      metrics.addMetric('AuditEntriesVerified', MetricUnit.Count, result.entriesVerified);
      metrics.addMetric('AuditChainsBroken', MetricUnit.Count, result.chainsBroken);
      metrics.addMetric('AuditChainsUnverified', MetricUnit.Count, result.chainsUnverified);
      return result;
    };
  },
});
