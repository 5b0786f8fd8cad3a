import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge, kms, secretsManager, stepFunctions } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { addressHandlers } from './addresses/addresses-api.ts';
import { auditHandlers } from './audit/audit-api.ts';
import { accessContract } from './contract.ts';
import { gate } from './gate.ts';
import { AdminKeys } from './keys/admin-keys.ts';
import { KeyStore } from './keys/key-store.ts';
import { KeyUse } from './keys/key-use.ts';
import { keyHandlers } from './keys/keys-api.ts';
import { limitHandlers } from './limits/limits-api.ts';
import { pepperReader } from './pepper.ts';
import { TenantStore } from './tenants/tenant-store.ts';
import { tenantHandlers } from './tenants/tenants-api.ts';
import { DeliveryStore } from './webhooks/delivery-store.ts';
import { EndpointStore } from './webhooks/endpoint-store.ts';
import { publicUrlChecker } from './webhooks/public-sender.ts';
import { SecretBox } from './webhooks/secret-box.ts';
import { deliveryStarter } from './webhooks/start-delivery.ts';
import { webhookHandlers } from './webhooks/webhooks-api.ts';
import { WebhooksTable } from './webhooks/webhooks-table.ts';

/** The API of tenants, keys, limits, the audit trail and webhooks. */
export const handler = httpFunction({
  contract: accessContract,
  functionContract: accessContract.functions.api,
  gate,
  handlers: (environment): HttpHandlers<typeof accessContract> => {
    const { ACCESS_TABLE, LIMITS_TABLE, AUDIT_TABLE, ACCESS_POLICY: policy } = environment;
    const client = dynamo();
    const now = Date.now;
    const keys = new KeyStore(client, ACCESS_TABLE);
    const tenants = new TenantStore(client, ACCESS_TABLE);
    const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
    const webhooks = new WebhooksTable(client, environment.WEBHOOKS_TABLE);
    const endpoints = new EndpointStore(webhooks);
    return {
      ...keyHandlers({
        keys,
        tenants,
        admins: new AdminKeys(client, ACCESS_TABLE, keys),
        use: new KeyUse(client, LIMITS_TABLE, now),
        pepper: pepperReader(secretsManager(), environment.KEY_PEPPER_SECRET_ARN),
        announcer,
        now,
      }),
      ...tenantHandlers({
        tenants,
        keys,
        announcer,
        inUse: async (id) =>
          (await endpoints.countEndpointsOf(id)) > 0
            ? 'The tenant has webhooks: delete them first.'
            : undefined,
        now,
      }),
      ...limitHandlers({ client, table: LIMITS_TABLE, policy, now }),
      ...addressHandlers({ client, table: LIMITS_TABLE, policy, now }),
      ...auditHandlers({ client, table: AUDIT_TABLE, now }),
      ...webhookHandlers({
        endpoints,
        deliveries: new DeliveryStore(webhooks),
        secrets: new SecretBox(kms(), environment.ENCRYPTION_KEY_ARN),
        checkUrl: publicUrlChecker(environment.WEBHOOK_PRIVATE_NETWORKS),
        tenants,
        start: deliveryStarter(stepFunctions(), environment.WEBHOOK_STATE_MACHINE_ARN),
        now,
      }),
    };
  },
});
