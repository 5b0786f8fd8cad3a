import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, stepFunctions } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { TenantStore } from './tenants/tenant-store.ts';
import { alarmChanged } from './webhooks/alarm-changed.ts';
import { webhookFunctions } from './webhooks/contract.ts';
import { DeliveryStore } from './webhooks/delivery-store.ts';
import { dispatchEvent } from './webhooks/dispatch.ts';
import { EndpointStore } from './webhooks/endpoint-store.ts';
import { alarmEventSource, alarmReportSchema, platformEventSchema } from './webhooks/events.ts';
import { deliveryStarter } from './webhooks/start-delivery.ts';
import { startQueued } from './webhooks/start-queued.ts';
import { traceparentOf } from './webhooks/traceparent-of.ts';
import { WebhooksTable } from './webhooks/webhooks-table.ts';

/** Kept back to end in order. */
const endMs = 10_000;

/**
 * Hears of every event on the platform's bus and starts its deliveries. Of alarms it hears from CloudWatch, and tells the
 * bus, from where they come back like any other event. By the clock it starts what was queued and never started.
 */
export const handler = eventFunction({
  contract: webhookFunctions['dispatch-webhooks'],
  traceparentOf,
  handler: (environment) => {
    const table = new WebhooksTable(dynamo(), environment.WEBHOOKS_TABLE);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    const deps = {
      tenants: new TenantStore(dynamo(), environment.ACCESS_TABLE),
      endpoints: new EndpointStore(table),
      deliveries: new DeliveryStore(table),
      start: deliveryStarter(stepFunctions(), environment.WEBHOOK_STATE_MACHINE_ARN),
      now: Date.now,
    };
    return async (event, { log, metrics, trace, remainingMs }) => {
      if ('phase' in event) {
        const deliveries = await startQueued({ ...deps, hasTime: () => remainingMs() > endMs });
        if (deliveries > 0) log.warn('Deliveries were queued and not attempted', { deliveries });
        return { deliveries };
      }
      const alarm = alarmReportSchema.safeParse(event).data;
      if (alarm !== undefined) {
        const detail = alarmChanged(alarm, trace.traceparent);
        await announcer.announce(alarmEventSource, 'alarm.changed', detail);
        return { announced: true };
      }
      const deliveries = await dispatchEvent(deps, platformEventSchema.parse(event), trace.traceparent);
      if (deliveries > 0) metrics.addMetric('WebhookDeliveriesStarted', MetricUnit.Count, deliveries);
      log.info('Dispatched', { event: event['detail-type'], deliveries });
      return { deliveries };
    };
  },
});
