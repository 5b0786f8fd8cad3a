import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, kms } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { AuditTrail } from './audit/audit-trail.ts';
import type { AuditEntry } from './audit/entry.ts';
import { eventSource } from './bus-events.ts';
import { TenantStore } from './tenants/tenant-store.ts';
import { attemptDelivery, isSuccess } from './webhooks/attempt.ts';
import { webhookFunctions } from './webhooks/contract.ts';
import { DeliveryStore } from './webhooks/delivery-store.ts';
import { endInterrupted } from './webhooks/end-interrupted.ts';
import { EndpointStore } from './webhooks/endpoint-store.ts';
import type { WebhookDisabled } from './webhooks/events.ts';
import { publicSender } from './webhooks/public-sender.ts';
import { SecretBox } from './webhooks/secret-box.ts';
import { traceparentOf } from './webhooks/traceparent-of.ts';
import { WebhooksTable } from './webhooks/webhooks-table.ts';

/** Makes one attempt to tell an endpoint of an event; ends deliveries whose execution did not end well. */
export const handler = eventFunction({
  contract: webhookFunctions['deliver-webhook'],
  traceparentOf,
  handler: (environment) => {
    const table = new WebhooksTable(dynamo(), environment.WEBHOOKS_TABLE);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    const deliveries = new DeliveryStore(table);
    const deps = {
      tenants: new TenantStore(dynamo(), environment.ACCESS_TABLE),
      deliveries,
      endpoints: new EndpointStore(table),
      secrets: new SecretBox(kms(), environment.ENCRYPTION_KEY_ARN),
      send: publicSender(environment.WEBHOOK_PRIVATE_NETWORKS),
      announce: (detail: WebhookDisabled) => announcer.announce(eventSource, 'webhook.disabled', detail),
      disableAfterDays: environment.WEBHOOK_DISABLE_AFTER_DAYS,
      random: Math.random,
      now: Date.now,
    };
    const audit = new AuditTrail({
      client: dynamo(),
      table: environment.AUDIT_TABLE,
      now: Date.now,
      retentionDays: environment.AUDIT_DAYS,
    });
    return async (event, { log, metrics, trace: { traceparent } }) => {
      const record = async (entry: AuditEntry): Promise<void> => {
        try {
          await audit.append(entry);
        } catch (error) {
          // The webhook is disabled all the same: the log and an alarm hear of what the trail has missed.
          log.error('The audit trail did not take an entry', { error, entry });
          metrics.addMetric('AuditEntriesLost', MetricUnit.Count, 1);
        }
      };
      if ('detail' in event) {
        const ended = await endInterrupted(deliveries, event, Date.now());
        if (ended) metrics.addMetric('WebhookDeliveriesFailed', MetricUnit.Count, 1);
        return { ended };
      }
      const { result, attempt, disabled } = await attemptDelivery({ ...deps, record, traceparent }, event);
      if (attempt !== undefined) {
        const well = isSuccess(attempt);
        metrics.addMetric('WebhookAttempts', MetricUnit.Count, 1);
        if (well) metrics.addMetric('WebhookDeliveriesCompleted', MetricUnit.Count, 1);
        else if (result.outcome === 'ended')
          metrics.addMetric('WebhookDeliveriesFailed', MetricUnit.Count, 1);
        const { status, error, durationMs } = attempt;
        log.info('Attempted', { ...event, status, error: error?.code, durationMs, outcome: result.outcome });
      }
      if (disabled) {
        metrics.addMetric('WebhooksDisabled', MetricUnit.Count, 1);
        log.warn('Webhook disabled', { webhookId: event.webhookId });
      }
      return result;
    };
  },
});
